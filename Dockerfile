# Every RUN line is a script that the Makefile and the tests call too; what is here besides is copying.
# The base images can be replaced, for a mirror or another platform: --build-arg RUNTIME_IMAGE=…
ARG NODE_IMAGE=node:22-bookworm-slim
ARG RUST_IMAGE=rust:1-slim-bookworm
# glibc must not be older than the one of RUST_IMAGE.
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${NODE_IMAGE} AS pages
WORKDIR /src
COPY scripts scripts
COPY frontend/package.json frontend/package-lock.json frontend/
RUN scripts/npm-install frontend
COPY frontend frontend
RUN scripts/build-frontend

FROM ${RUST_IMAGE} AS server
WORKDIR /src
COPY . .
COPY --from=pages /src/frontend/dist frontend/dist
RUN scripts/build-release --into /out

FROM ${RUNTIME_IMAGE}
COPY scripts/prepare-image /tmp/prepare-image
RUN /tmp/prepare-image
COPY --from=server /out/elora-chat /usr/local/bin/elora-chat
# For what is fetched over https; the chat sockets bring their own roots.
COPY --from=server /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
USER 65532:65532
WORKDIR /data
VOLUME /data
# Inside a container, loopback is the container's own: it must listen on every address to be published at all.
ENV HTTP_ADDR=0.0.0.0:8080 DB_PATH=/data/elora.db
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=5 CMD ["elora-chat", "healthcheck"]
ENTRYPOINT ["elora-chat"]
CMD ["serve"]
