# A static Rust binary without root, shell or package manager, to the contract of the platform: it listens on port
# 8080, answers /healthz, runs as user 10001 and writes to /tmp alone.
#
# Nothing that it is made from can be changed by somebody else unnoticed: the bases are named by digest, which the updater
# keeps up to date, and what is downloaded by its SHA-256, which stands in txnr.toml:
#
#   docker build --build-arg DATABASE_CA_SHA256=$(curl -fsS https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem | sha256sum | cut -d' ' -f1) .
FROM docker.io/library/rust:1.95-alpine@sha256:606fd313a0f49743ee2a7bd49a0914bab7deedb12791f3a846a34a4711db7ed2 AS build
# What the C libraries of the TLS stack are built with.
RUN apk add --no-cache cmake g++ make musl-dev perl
# Writes into the program which crates it consists of, so that a scan of the image sees them.
RUN cargo install --locked cargo-auditable@0.7.7
WORKDIR /source
COPY . .
RUN cargo auditable build --release --locked --package txn-reconcile-api \
    && install -D "target/release/txn-reconcile-api" "/root-of-image/usr/local/bin/txn-reconcile-api"
# The authorities of RDS, without which the service speaks to no PostgreSQL. Other partitions have their own address.
ARG DATABASE_CA_SHA256
ARG DATABASE_CA_URL=https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
ADD --checksum=sha256:${DATABASE_CA_SHA256} ${DATABASE_CA_URL} /root-of-image/etc/ssl/certs/rds-global-bundle.pem
RUN chmod 0644 "/root-of-image/etc/ssl/certs/rds-global-bundle.pem" \
    && install -d -m 0700 "/writable/tmp"

FROM gcr.io/distroless/static-debian13:nonroot@sha256:e2e927ec666bae08560abb3c55d0659eceabb657f56b6782ab500a9fc7f555e3
COPY --from=build /root-of-image /
# A volume that the image does not declare and give away is made as root's by Fargate. The folder is copied from
# above, as a base's own would keep its owner if only what lies in it were.
COPY --from=build --chown=10001:10001 /writable /
USER 10001:10001
VOLUME ["/tmp"]
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["/usr/local/bin/txn-reconcile-api","healthcheck"]
ENTRYPOINT ["/usr/local/bin/txn-reconcile-api"]
CMD ["serve"]
