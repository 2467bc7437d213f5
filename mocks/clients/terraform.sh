#!/usr/bin/env bash
# Terraform's AWS provider on the fake: applies, sees no difference, changes in place, sees none again, and destroys.
#
# The provider knows some things that are gone only by AWS's exact code and words. So the same state is also shown to an
# account in which nothing of it exists (EMPTY_ENDPOINT_URL): everything is planned anew, and every deletion is put up with.
#
# AWS_ENDPOINT_URL and the credentials come from the environment; WORK is a folder where `terraform init` was run, and FAKE
# the fake's program, which makes a model to serve from PAIRS.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
export TF_IN_AUTOMATION=1 TF_INPUT=0 CHECKPOINT_DISABLE=1
export TF_VAR_model=$WORK/model.tar.gz TF_VAR_definition=$here/pipeline.json

rm -rf "$WORK"/*.tf "$WORK"/terraform.tfstate* "$WORK/ml"
cp "$here"/terraform/*.tf "$WORK"
cd "$WORK"

stage() { echo "  $1"; }
# Says what Terraform said only if it failed.
tf() {
  terraform "$@" -no-color >"$WORK/terraform.log" 2>&1 || { cat "$WORK/terraform.log" >&2; exit 1; }
}
# No difference between what is and what should be: any other plan fails.
nothing_to_do() { tf plan -detailed-exitcode; }

ml=$WORK/ml
mkdir -p "$ml"/{processing/input,input/{data,config},model}
cp "$PAIRS" "$ml/processing/input/"
STSMM_OPT_ML=$ml "$FAKE" container preprocess >/dev/null
for channel in train validation vocabulary; do cp -r "$ml/processing/$channel" "$ml/input/data/"; done
STSMM_OPT_ML=$ml "$FAKE" container train >/dev/null
tar -czf model.tar.gz -C "$ml/model" .

stage "apply"
tf apply -auto-approve
nothing_to_do
count=$(terraform state list | grep -vc '^data\.')

stage "change in place: tags, descriptions, policies, retention, the endpoint's configuration"
export TF_VAR_revision=2
tf apply -auto-approve
nothing_to_do

stage "an account that has lost everything: $count resources are planned anew"
cp terraform.tfstate kept.tfstate
AWS_ENDPOINT_URL=$EMPTY_ENDPOINT_URL tf plan
grep -q "^Plan: $count to add, 0 to change, 0 to destroy" terraform.log || { cat terraform.log >&2; exit 1; }
AWS_ENDPOINT_URL=$EMPTY_ENDPOINT_URL tf destroy -auto-approve -refresh=false
mv kept.tfstate terraform.tfstate

stage "destroy"
nothing_to_do
tf destroy -auto-approve
[ -z "$(terraform state list)" ]
