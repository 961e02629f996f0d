#!/usr/bin/env bash
# << rendered | safe >>
#
# Deploys an image where Terraform does not: registers a revision of the service's task definition that differs from the
# last one in its image alone, hands it to the service, and watches until it runs or has been taken back.
#
#     deploy.sh external|blue-green
#
# CLUSTER, SERVICE, FAMILY, CONTAINER and IMAGE (by digest) say what; WATCHED_MINUTES how long; APPLICATION, GROUP and
# APPSPEC are CodeDeploy's, for blue-green.
set -euo pipefail

pause_seconds=${PAUSE_SECONDS:-15}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
    echo "::error::$1"
    exit 1
}

# Prints the ARN of the new revision.
register() {
    aws ecs describe-task-definition --task-definition "$FAMILY" --include TAGS --output json >"$folder/last.json"
    jq '.tags as $tags
        | .taskDefinition
        | if any(.containerDefinitions[]; .name == env.CONTAINER) then . else error("no container \(env.CONTAINER)") end
        | .containerDefinitions |= map(if .name == env.CONTAINER then .image = env.IMAGE else . end)
        | del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities,
              .registeredAt, .registeredBy, .deregisteredAt)
        | if ($tags // []) == [] then . else .tags = $tags end' "$folder/last.json" >"$folder/next.json"
    aws ecs register-task-definition --cli-input-json "file://$folder/next.json" \
        --query taskDefinition.taskDefinitionArn --output text
}

# Calls a function until it says that the deployment has ended; non-zero if it does not in time.
watch() {
    local end=$((SECONDS + WATCHED_MINUTES * 60))
    until "$1"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep "$pause_seconds"
    done
}

# A service that was rolled back is as stable as any other, so that `aws ecs wait services-stable` would not tell.
updated() {
    local state
    state=$(aws ecs describe-services --cluster "$CLUSTER" --services "$SERVICE" --output json | jq --raw-output \
        --arg revision "$revision" '[.services[0].deployments[] | select(.taskDefinition == $revision)]
            | if . == [] then "GONE" elif .[0].status == "PRIMARY" then .[0].rolloutState else "REPLACED" end')
    echo "$state"
    case "$state" in
        COMPLETED) ;;
        FAILED | GONE | REPLACED)
            fail "the deployment failed, and the service runs its previous revision; its events and its log say why" ;;
        *) return 1 ;;
    esac
}

external() {
    aws ecs update-service --cluster "$CLUSTER" --service "$SERVICE" --task-definition "$revision" --output json \
        >/dev/null
    watch updated || fail "no end of the deployment in $WATCHED_MINUTES minutes; the service goes on with it"
}

moved() {
    aws deploy get-deployment --deployment-id "$deployment" --output json >"$folder/deployment.json"
    local state
    state=$(jq --raw-output .deploymentInfo.status "$folder/deployment.json")
    echo "$state"
    case "$state" in
        Succeeded) ;;
        Failed | Stopped)
            jq '.deploymentInfo | {errorInformation, rollbackInfo}' "$folder/deployment.json"
            fail "the deployment failed, and the traffic went back to the old tasks" ;;
        *) return 1 ;;
    esac
}

# Whether the new tasks have all of the traffic, and the old ones only wait for their end.
serves() {
    aws deploy get-deployment-target --deployment-id "$deployment" --target-id "$CLUSTER:$SERVICE" --output json \
        | jq --exit-status 'any(.deploymentTarget.ecsTarget.lifecycleEvents[];
            .lifecycleEventName == "AfterAllowTraffic" and .status == "Succeeded")' >/dev/null
}

blue_green() {
    jq --null-input --arg content "${APPSPEC//<TASK_DEFINITION>/$revision}" '{
        applicationName: env.APPLICATION,
        deploymentGroupName: env.GROUP,
        description: env.IMAGE,
        revision: {revisionType: "AppSpecContent", appSpecContent: {content: $content}}
    }' >"$folder/deployment.json"
    deployment=$(aws deploy create-deployment --cli-input-json "file://$folder/deployment.json" \
        --query deploymentId --output text)
    echo "deployment $deployment"
    watch moved || serves || fail "the traffic has not moved in $WATCHED_MINUTES minutes; CodeDeploy goes on with it"
}

revision=$(register)
echo "revision $revision"
case "$1" in
    external) external ;;
    blue-green) blue_green ;;
    *) fail "$1 is no strategy" ;;
esac
echo "$SERVICE runs $IMAGE"
