# A static Rust binary without root, shell or package manager, to the contract of the platform: it listens on port
# 8080, answers /healthz, runs as user 10001 and writes to /tmp alone.
#
# Nothing that it is made from can be changed by somebody else unnoticed: the bases are named by digest and what is
# downloaded by its SHA-256. They have no default, because a digest that nobody keeps up to date keeps its holes too.
# `docker buildx imagetools inspect NAME` shows a digest:
#
#   docker build \
#     --build-arg BUILD_IMAGE=docker.io/library/rust:1.95-alpine@sha256:… \
#     --build-arg RUN_IMAGE=gcr.io/distroless/static-debian12:nonroot@sha256:… \
#     --build-arg DATABASE_CA_SHA256=$(curl -fsS https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem | sha256sum | cut -d' ' -f1) .
ARG BUILD_IMAGE
ARG RUN_IMAGE

FROM ${BUILD_IMAGE} AS build
ARG BUILD_IMAGE
ARG RUN_IMAGE
RUN for image in "$BUILD_IMAGE" "$RUN_IMAGE"; do \
        case "$image" in *@sha256:*) ;; *) echo "name $image by digest: a tag can be moved" >&2; exit 1 ;; esac; \
    done
# What the C libraries of the TLS stack are built with.
RUN apk add --no-cache cmake g++ make musl-dev perl
WORKDIR /source
COPY . .
RUN cargo build --release --locked --package txn-reconcile-api \
    && install -D "target/release/txn-reconcile-api" "/root-of-image/usr/local/bin/txn-reconcile-api"
# The authorities of RDS, without which the service speaks to no PostgreSQL. Other partitions have their own address.
ARG DATABASE_CA_SHA256
ARG DATABASE_CA_URL=https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
ADD --checksum=sha256:${DATABASE_CA_SHA256} ${DATABASE_CA_URL} /root-of-image/etc/ssl/certs/rds-global-bundle.pem
RUN chmod 0644 "/root-of-image/etc/ssl/certs/rds-global-bundle.pem" \
    && install -d -m 0700 "/writable/tmp"

FROM ${RUN_IMAGE}
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
