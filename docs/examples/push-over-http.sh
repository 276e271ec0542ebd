#!/bin/bash
# Pushes a folder to an environment of QuickDumpNow, and waits until its deployment has ended.
# Needs curl, jq, zip and two variables: QDN_SITE (https://example.com) and QDN_TOKEN.
set -euo pipefail
folder=$1 environment=$2 commit=${3:-} branch=${4:-}

archive=$(mktemp -d)/site.zip
trap 'rm -r "$(dirname "$archive")"' EXIT
(cd "$folder" && zip --quiet --recurse-paths "$archive" .)

# The token comes from standard input, so that it is in no list of processes.
call() {
  curl --silent --show-error --fail-with-body --header @- "$@" <<<"Authorization: Bearer $QDN_TOKEN"
}
query=$(jq -rn --arg e "$environment" --arg c "$commit" --arg b "$branch" \
  '"action=push&environment=\($e|@uri)&commit=\($c|@uri)&branch=\($b|@uri)"')
answer=$(call --header "Content-Type: application/zip" --data-binary "@$archive" \
  "$QDN_SITE/api/deployments/?$query") || { echo "$answer" >&2; exit 1; }
url=$QDN_SITE$(jq -r .url <<<"$answer")
until [ "$(jq -r .has_ended <<<"$answer")" = true ]; do
  sleep 1
  answer=$(call "$url")
done
jq -r '.steps[].line, .note' <<<"$answer"
[ "$(jq -r .state <<<"$answer")" = done ]
