FROM node:24-slim AS dependencies
WORKDIR /service
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production ROLE=all HOST=0.0.0.0 PORT=8080 BLOB_STORE_URL=file:///data/packages
WORKDIR /service
RUN install --directory --owner=node --group=node --mode=700 /data
COPY --from=dependencies /service/node_modules node_modules
COPY package.json ./
COPY openapi openapi
COPY migrations migrations
COPY src src

# Nothing but /data is written, so the rest can be mounted read-only.
USER node
VOLUME /data
EXPOSE 8080

# A worker answers no calls; whether it works is seen in the queue.
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s CMD ["node", "-e", \
  "/^(worker|migrate)$/.test(process.env.ROLE) || fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

# Streams of records leave much short-lived memory behind: a small nursery and few arenas keep a third of it from piling up.
ENV MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=131072
CMD ["node", "--max-semi-space-size=2", "--max-old-space-size=1024", "src/main.ts"]
