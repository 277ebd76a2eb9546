/** How much of everything a person has, by kind of person. The first two words name posts and log rows, the rest follows from them. */
export interface Volumes {
  posts: number
  logs: number
  files: number
  enrolments: number
  grades: number
  gradeHistory: number
  quizzes: number
  certificates: number
  devices: number
  sessions: number
  tickets: number
  messages: number
  invoices: number
  preferences: number
  profileFields: number
}

const volumes = (
  [posts, logs, files]: [number, number, number],
  [enrolments, grades, gradeHistory, quizzes, certificates]: [number, number, number, number, number],
  [devices, sessions, tickets, messages]: [number, number, number, number],
  [invoices, preferences, profileFields]: [number, number, number],
): Volumes => ({
  posts,
  logs,
  files,
  enrolments,
  grades,
  gradeHistory,
  quizzes,
  certificates,
  devices,
  sessions,
  tickets,
  messages,
  invoices,
  preferences,
  profileFields,
})

export const PROFILES = {
  background: volumes([3, 5, 1], [2, 3, 4, 1, 0], [1, 2, 1, 2], [1, 3, 2]),
  light: volumes([10, 10, 3], [2, 4, 8, 2, 1], [1, 3, 1, 5], [1, 10, 5]),
  typical: volumes([50, 2_000, 60], [8, 200, 800, 40, 3], [3, 100, 3, 5], [4, 60, 10]),
  heavy: volumes([1_000, 50_000, 600], [40, 5_000, 40_000, 400, 20], [15, 5_000, 150, 12], [24, 400, 40]),
  teacher: volumes([10_000, 1_000_000, 60], [200, 20, 40, 10, 5], [10, 5_000, 30, 8], [12, 400, 40]),
} as const

export type Profile = keyof typeof PROFILES
