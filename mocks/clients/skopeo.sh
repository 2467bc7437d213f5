#!/usr/bin/env bash
# Skopeo and the registry behind the fake's ECR: the image of the steps in, out, and from there to a registry of Debian's, if
# this machine has it.
#
# AWS_ENDPOINT_URL, the credentials and the region come from the environment; ARCHIVE is what `cargo xtask image build` wrote.
set -euo pipefail

work=$(mktemp -d)
registry=
trap '[ -z "$registry" ] || kill "$registry"; rm -rf "$work"' EXIT
name=clients-skopeo
export AWS_PAGER=

stage() { echo "  $1"; }
fail() { echo "$1" >&2; exit 1; }
# same WHAT EXPECTED FOUND
same() { [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"; }

host=${AWS_ENDPOINT_URL#http://}
aws ecr create-repository --repository-name $name --image-tag-mutability IMMUTABLE >/dev/null
# The password is nobody's business: it stays out of the command line.
aws ecr get-login-password | skopeo login --tls-verify=false --authfile "$work/auth.json" -u AWS --password-stdin "$host" >/dev/null
copy() { skopeo copy --quiet --authfile "$work/auth.json" --src-tls-verify=false --dest-tls-verify=false "$@"; }
digest() { skopeo inspect --authfile "$work/auth.json" --tls-verify=false --format '{{.Digest}}' "$1"; }
# How many layers and configs were uploaded so far.
uploads() { curl -sSf "$CONTROL_URL/calls" | grep -o '"CompleteLayerUpload"' | wc -l; }

stage "the image, pushed from its archive; pushed again, nothing is uploaded"
copy "docker-archive:$ARCHIVE" "docker://$host/$name:one"
same uploads 2 "$(uploads)"
pushed=$(digest "docker://$host/$name:one")
same "the digest of ECR" "$pushed" \
  "$(aws ecr describe-images --repository-name $name --query 'imageDetails[].imageDigest' --output text)"
copy "docker-archive:$ARCHIVE" "docker://$host/$name:two"
same uploads 2 "$(uploads)"
same entrypoint /usr/bin/sts-container \
  "$(skopeo inspect --config --authfile "$work/auth.json" --tls-verify=false --format '{{index .Config.Entrypoint 0}}' "docker://$host/$name:two")"

stage "pulled by digest, and pushed from there: the same image"
copy --preserve-digests "docker://$host/$name@$pushed" "dir:$work/image"
[ "sha256:$(sha256sum "$work/image/manifest.json" | cut -d' ' -f1)" = "$pushed" ] || fail "another manifest came"
aws ecr create-repository --repository-name $name/copy >/dev/null
copy --preserve-digests "dir:$work/image" "docker://$host/$name/copy:one"
same copy "$pushed" "$(digest "docker://$host/$name/copy:one")"

stage "refused: a tag that stays as it is, a repository that nobody made, no password"
if copy "docker://$host/$name@$pushed" --format oci "docker://$host/$name:one" 2>"$work/said"; then fail "a tag was moved"; fi
grep -q immutable "$work/said" || fail "$(cat "$work/said")"
if copy "dir:$work/image" "docker://$host/nobodys:one" 2>"$work/said"; then fail "nobody's repository took an image"; fi
grep -q "does not exist" "$work/said" || fail "$(cat "$work/said")"
if skopeo inspect --tls-verify=false --no-creds "docker://$host/$name:one" 2>"$work/said" >&2; then fail "anybody may pull"; fi

if command -v docker-registry >/dev/null; then
  stage "to a registry of Debian's and back: the same image"
  printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:0"}\n' "$work/registry" >"$work/registry.yml"
  docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
  registry=$!
  for _ in $(seq 100); do
    other=$(grep -o 'listening on 127.0.0.1:[0-9]*' "$work/registry.log" | cut -d' ' -f3) && break
    sleep 0.1
  done
  copy --preserve-digests "docker://$host/$name@$pushed" "docker://$other/sts-container:one"
  same "the other registry's" "$pushed" "$(digest "docker://$other/sts-container:one")"
  aws ecr create-repository --repository-name $name/back >/dev/null
  copy --preserve-digests "docker://$other/sts-container:one" "docker://$host/$name/back:one"
  same "back again" "$pushed" "$(digest "docker://$host/$name/back:one")"
fi

stage "cleanup"
for repository in $name $name/copy $name/back; do
  aws ecr delete-repository --force --repository-name "$repository" >/dev/null 2>&1 || [ "$repository" = $name/back ]
done
same repositories "" "$(aws ecr describe-repositories --query 'repositories[]' --output text)"
