# syntax=docker/dockerfile:1
# One small image: the binary with its pages inside, the plugins, and the list of what they are made of.

FROM node:22-bookworm-slim AS pages
WORKDIR /build/admin-ui
COPY admin-ui/package.json admin-ui/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY admin-ui ./
RUN node build.mjs

FROM rust:1.95-bookworm AS build
RUN rustup target add wasm32-wasip2
WORKDIR /build
ENV CARGO_TARGET_DIR=/build/target CARGO_PROFILE_RELEASE_STRIP=debuginfo
COPY . .
COPY --from=pages /build/admin-ui/dist admin-ui/dist
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --locked --release --package portolan-server \
    && cargo xtask plugins \
    && cargo xtask sbom target/portolan.cdx.json \
    && mkdir -p /image/usr/bin /image/usr/share/portolan/plugins /image/data \
    && cp target/release/portolan /image/usr/bin/ \
    && cp target/plugins/*.wasm /image/usr/share/portolan/plugins/ \
    && cp target/portolan.cdx.json /image/usr/share/portolan/

# glibc, certificates and an unprivileged user (65532); no shell.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build --chown=65532:65532 /image/data /data
COPY --from=build /image/usr /usr
ENV PORTOLAN_DATA_DIR=/data \
    PORTOLAN_LISTEN=0.0.0.0:8080 \
    PORTOLAN_PLUGINS_DIR=/usr/share/portolan/plugins
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/usr/bin/portolan"]
CMD ["serve"]
