#!/usr/bin/env bash
# Rendered by `txnr init` from txnr.toml and envs/*.toml. Do not edit; `txnr init --check` tells when it is out of date.
#
# Verifies that the workflow "Build" signed images, on the branch whose merges are published, and that nobody else did.
#
#     verify.sh [--if-there] IMAGE…
#
# --if-there passes over what its repository no longer holds: nothing can start it.
set -euo pipefail

identity="https://github.com/acme/payments-platform/.github/workflows/ci-build.yml@refs/heads/main"
issuer=https://token.actions.githubusercontent.com

fail() {
    echo "::error::$1"
    exit 1
}

# 111122223333.dkr.ecr.us-east-1.amazonaws.com
region() {
    local rest=${1#*.dkr.ecr.}
    echo "${rest%%.*}"
}

# Whether the repository of an image says that it does not hold it.
gone() {
    local registry=${1%%/*} rest=${1#*/} name id said
    case "$rest" in
        *@*) name=${rest%%@*} id="imageDigest=${rest#*@}" ;;
        *) name=${rest%%:*} id="imageTag=${rest#*:}" ;;
    esac
    if said=$(aws ecr describe-images --region "$(region "$registry")" --registry-id "${registry%%.*}" \
        --repository-name "$name" --image-ids "$id" 2>&1); then
        return 1
    fi
    [[ "$said" == *ImageNotFoundException* || "$said" == *RepositoryNotFoundException* ]]
}

verify() {
    local registry=${1%%/*}
    aws ecr get-login-password --region "$(region "$registry")" \
        | docker login --username AWS --password-stdin "$registry" >/dev/null
    cosign verify --certificate-oidc-issuer "$issuer" --certificate-identity "$identity" "$1" >/dev/null \
        || fail "$1 bears no signature of $identity; name an image that it built, or let it build one"
    echo "$1 is signed"
}

if_there=false
if [ "${1:-}" = --if-there ]; then
    if_there=true
    shift
fi
for image in "$@"; do
    if "$if_there" && gone "$image"; then
        echo "::notice::$image is not in its repository"
    else
        verify "$image"
    fi
done
