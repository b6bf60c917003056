# syntax=docker/dockerfile:1
# Exact tags: what is built is what was tested. Node is an LTS, the compiler's module wants this Go.
ARG NODE_IMAGE=node:24.11.1-bookworm-slim
ARG GO_IMAGE=golang:1.26.8-bookworm

# The Rego compiler, from source that go.sum vouches for.
FROM ${GO_IMAGE} AS compiler
WORKDIR /compiler
COPY rego/compiler/go.mod rego/compiler/go.sum ./
RUN CGO_ENABLED=0 GOFLAGS= GOWORK=off \
    go build -mod=readonly -trimpath -buildvcs=false -o /out/opa github.com/open-policy-agent/opa

# src -> dist. The development packages stay in this stage.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY deploy/build.mjs deploy/
COPY src src
RUN node deploy/build.mjs

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional

FROM ${NODE_IMAGE}
# State and keys lie in volumes; the rest of the file system may be read-only, with a tmpfs for /tmp.
RUN install -d -o node -g node -m 0700 /var/lib/countersign /keys
WORKDIR /app
COPY --from=compiler /out/opa /usr/local/bin/opa
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY prisma/migrations prisma/migrations
COPY rego rego
COPY --from=build /app/dist dist
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    COUNTERSIGN_STATE_DIR=/var/lib/countersign \
    OPA_BIN=/usr/local/bin/opa
USER node
EXPOSE 8080
VOLUME ["/var/lib/countersign"]
# A slim image has no curl.
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=32", "dist/main.js"]
