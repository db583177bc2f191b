# Two stages: one installs the packages, one is the image that runs. `npm run dockerfile` follows this without Docker.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Optional packages stay, because the binary of @node-rs/argon2 is one of them. The packages that bring Node to machines
# with an older version are removed, because this image has Node.
RUN npm ci --omit=dev && rm -rf node_modules/node-linux-* node_modules/node-win-* node_modules/.bin/node

FROM node:24-slim
# HOST: every address of the container, because nothing outside can reach its localhost. Restrict access where the
# container is run: publish the port on loopback, or use a proxy. Set ISSUER there.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY db db
COPY public public
COPY views views
COPY src src
RUN mkdir -m 700 /data && chown node:node /data
# The program's files belong to root, so the running program cannot change them.
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
