#!/usr/bin/env bash
# Rendered by `txnr init` from txnr.toml and envs/*.toml. Do not edit; `txnr init --check` tells when it is out of date.
#
# Writes the state that a failed apply left in a file because it could not write it; where that fails as well, it keeps the
# file, encrypted for who may use the state's key. Without it nobody would know what was made.
# https://developer.hashicorp.com/terraform/language/state/backends
#
#     keep-state.sh ROOT FOLDER
#
# STATE_KEY is the ARN of that key. RUNBOOK.md says how the file is opened.
set -euo pipefail

root=$1 folder=$2
[ -e "$root/errored.tfstate" ] || exit 0
for attempt in 1 2 3; do
    if terraform -chdir="$root" state push errored.tfstate; then
        rm "$root/errored.tfstate"
        echo "::notice::the state that the apply could not write was written at attempt $attempt"
        exit 0
    fi
    sleep "${PAUSE_SECONDS:-60}"
done
mkdir -p "$folder"
key=$(aws kms generate-data-key --region "$(echo "$STATE_KEY" | cut --delimiter : --fields 4)" --key-id "$STATE_KEY" \
    --key-spec AES_256 --encryption-context purpose=errored-state --output json)
echo "$key" | jq --raw-output .CiphertextBlob | base64 --decode >"$folder/key"
openssl cms -encrypt -binary -aes-256-gcm -outform DER -secretkeyid 01 \
    -secretkey "$(echo "$key" | jq --raw-output .Plaintext | base64 --decode | od --address-radix n --output-duplicates --format x1 | tr -d ' \n')" \
    -in "$root/errored.tfstate" -out "$folder/errored.tfstate.cms"
rm "$root/errored.tfstate"
echo "::error::the state could not be written: it is in an artifact of this run, encrypted; RUNBOOK.md says how to go on"
echo "kept=true" >>"$GITHUB_OUTPUT"
