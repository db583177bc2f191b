# Two stages: packages are fetched where npm is, the image that runs holds only what runs. `npm run dockerfile` follows this
# file without Docker.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional packages are kept, because the binary of @node-rs/argon2 is one of them. The ones that bring Node itself
# to machines with an older one go: this image has its own.
RUN npm ci --omit=dev && rm -rf node_modules/node-linux-* node_modules/node-win-* node_modules/.bin/node

FROM node:24-slim
# HOST: all addresses of the container, since localhost is reached by nothing outside it. What may reach the container is
# said where it is run: publish the port on loopback, or put a proxy in front. ISSUER has to be set there.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY db db
COPY public public
COPY views views
COPY src src
RUN mkdir -m 700 /data && chown node:node /data
# The program's files stay root's: what runs cannot change them.
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
