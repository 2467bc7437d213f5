#!/usr/bin/env bash
# The same journey with the aws command line, on a bucket, a role and names of its own.
#
# AWS_ENDPOINT_URL, the credentials and the region come from the environment; CONTROL_URL moves the clock.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
name=clients-cli
export AWS_PAGER=

stage() { echo "  $1"; }
fail() { echo "$1" >&2; exit 1; }
# same WHAT EXPECTED FOUND
same() { [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"; }
# refused CODE COMMAND...: the command must fail, and name the code.
refused() {
  local code=$1 said
  shift
  if said=$("$@" 2>&1); then fail "it was not refused: $*"; fi
  [[ $said == *"($code)"* ]] || fail "refused, but not as $code: $said"
}
# until EXPECTED COMMAND...: asks until the answer is as expected.
until_is() {
  local expected=$1 found=
  shift
  for _ in $(seq 120); do
    found=$("$@")
    [[ $found =~ ^($expected)$ ]] && return
    sleep 0.5
  done
  fail "still '$found', not '$expected': $*"
}

stage "identity, bucket and role"
account=$(aws sts get-caller-identity --query Account --output text)
bucket=$name-$AWS_REGION-$account
refused 404 aws s3api head-bucket --bucket "$bucket"
aws s3 mb "s3://$bucket" >/dev/null
aws s3api wait bucket-exists --bucket "$bucket"
same region "$AWS_REGION" "$(aws s3api head-bucket --bucket "$bucket" --query BucketRegion --output text)"
trust='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
role=$(aws iam create-role --role-name $name --assume-role-policy-document "$trust" --query Role.Arn --output text)
aws iam wait role-exists --role-name $name
aws iam attach-role-policy --role-name $name --policy-arn arn:aws:iam::aws:policy/AmazonSageMakerFullAccess
same policies AmazonSageMakerFullAccess \
  "$(aws iam list-attached-role-policies --role-name $name --query 'AttachedPolicies[].PolicyName' --output text)"

stage "s3: cp, ls, sync, presign, rm"
mkdir -p "$work/tree/deep er"
for file in a.txt "deep er/ü+%.txt" "deep er/b.json"; do echo "content of $file" >"$work/tree/$file"; done
aws s3 sync "$work/tree" "s3://$bucket/tree" --only-show-errors
same keys 3 "$(aws s3 ls --recursive "s3://$bucket/tree/" | wc -l)"
same nothing "" "$(aws s3 sync "$work/tree" "s3://$bucket/tree")"
aws s3 sync "s3://$bucket/tree" "$work/back" --only-show-errors
diff -r "$work/tree" "$work/back"
head -c 20000000 /dev/urandom >"$work/large"
aws s3 cp "$work/large" "s3://$bucket/large" --only-show-errors
[[ $(aws s3api head-object --bucket "$bucket" --key large --query ETag --output text) == *-3* ]] ||
  fail "20 MB are not uploaded in three parts"
aws s3 cp "s3://$bucket/large" "s3://$bucket/copies/large" --only-show-errors
aws s3 cp "s3://$bucket/copies/large" - | cmp - "$work/large"
same content "content of a.txt" "$(curl -sS "$(aws s3 presign "s3://$bucket/tree/a.txt")")"
aws s3 mv "s3://$bucket/tree/a.txt" "s3://$bucket/moved.txt" --only-show-errors
refused NoSuchKey aws s3api get-object --bucket "$bucket" --key tree/a.txt "$work/none"
refused PreconditionFailed aws s3api put-object --bucket "$bucket" --key moved.txt --body "$work/large" --if-none-match '*'
same range "content" "$(aws s3api get-object --bucket "$bucket" --key moved.txt --range bytes=0-6 "$work/range" >/dev/null && cat "$work/range")"
aws s3 rm --recursive "s3://$bucket/" --only-show-errors
same rest 0 "$(aws s3 ls --recursive "s3://$bucket/" | wc -l)"

stage "s3api: settings of the bucket"
aws s3api put-bucket-tagging --bucket "$bucket" --tagging 'TagSet=[{Key=Project,Value=sts}]'
same tags sts "$(aws s3api get-bucket-tagging --bucket "$bucket" --query 'TagSet[0].Value' --output text)"
aws s3api put-public-access-block --bucket "$bucket" --public-access-block-configuration \
  BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
same encryption AES256 "$(aws s3api get-bucket-encryption --bucket "$bucket" --output text --query \
  'ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm')"
refused NoSuchBucketPolicy aws s3api get-bucket-policy --bucket "$bucket"
refused 403 aws s3api head-bucket --bucket "$bucket" --expected-bucket-owner 999999999999

stage "pipeline: created, started, waited for"
aws s3 cp "$PAIRS" "s3://$bucket/input/pairs.tsv" --only-show-errors
image=$account.dkr.ecr.$AWS_REGION.amazonaws.com/sts-container:latest
aws sagemaker create-model-package-group --model-package-group-name $name >/dev/null
aws sagemaker create-pipeline --pipeline-name $name --role-arn "$role" \
  --pipeline-definition "file://$here/pipeline.json" --tags Key=Project,Value=sts >/dev/null
refused ResourceNotFound aws sagemaker describe-pipeline --pipeline-name nobodys
execution=$(aws sagemaker start-pipeline-execution --pipeline-name $name --output text --query PipelineExecutionArn \
  --pipeline-parameters Name=Bucket,Value="$bucket" Name=Role,Value="$role" Name=Image,Value="$image" Name=Group,Value=$name)
until_is 'Succeeded|Failed|Stopped' aws sagemaker describe-pipeline-execution \
  --pipeline-execution-arn "$execution" --query PipelineExecutionStatus --output text
same steps "Baseline Evaluate Gate Preprocess Register Train" "$(aws sagemaker list-pipeline-execution-steps \
  --pipeline-execution-arn "$execution" --query "PipelineExecutionSteps[?StepStatus=='Succeeded'].StepName" \
  --output text --page-size 2 | tr '\t' '\n' | sort | xargs)"
job=$(aws sagemaker list-training-jobs --sort-by CreationTime --sort-order Descending --max-items 1 \
  --query 'TrainingJobSummaries[0].TrainingJobName' --output text)
aws sagemaker wait training-job-completed-or-stopped --training-job-name "$job"
aws logs filter-log-events --log-group-name /aws/sagemaker/TrainingJobs --log-stream-name-prefix "$job/" \
  --filter-pattern accuracy --query 'events[].message' --output text | grep -q accuracy

stage "endpoint: the newest approved package, invoked"
package=$(aws sagemaker list-model-packages --model-package-group-name $name \
  --query 'ModelPackageSummaryList[0].ModelPackageArn' --output text)
aws sagemaker update-model-package --model-package-arn "$package" --model-approval-status Approved >/dev/null
aws sagemaker create-model --model-name $name --execution-role-arn "$role" \
  --primary-container ModelPackageName="$package" >/dev/null
aws sagemaker create-endpoint-config --endpoint-config-name $name --production-variants \
  VariantName=AllTraffic,ModelName=$name,InitialInstanceCount=1,InstanceType=ml.m5.large \
  --data-capture-config "EnableCapture=true,InitialSamplingPercentage=100,DestinationS3Uri=s3://$bucket/capture,CaptureOptions=[{CaptureMode=Input},{CaptureMode=Output}]" >/dev/null
aws sagemaker create-endpoint --endpoint-name $name --endpoint-config-name $name >/dev/null
aws sagemaker wait endpoint-in-service --endpoint-name $name
test_set=$(aws s3api list-objects-v2 --bucket "$bucket" --prefix "${execution##*/}/test/" --output text \
  --query "Contents[?ends_with(Key, '.csv')].Key | [0]")
aws s3 cp "s3://$bucket/$test_set" - | head -1 | cut -d, -f2- >"$work/row.csv"
aws sagemaker-runtime invoke-endpoint --endpoint-name $name --content-type text/csv --accept text/csv \
  --body "fileb://$work/row.csv" "$work/answer.csv" >/dev/null
grep -Eq '^[01],0\.[0-9]+$' "$work/answer.csv" || fail "an odd answer: $(cat "$work/answer.csv")"
refused ValidationError aws sagemaker-runtime invoke-endpoint --endpoint-name nobodys --body x "$work/none"
curl -sSf -X POST "$CONTROL_URL/clock/advance?seconds=61" >/dev/null
same captured 1 "$(aws s3 ls --recursive "s3://$bucket/capture/$name/AllTraffic/" | wc -l)"

stage "ecr: a repository, its settings, and a password for docker login"
aws ecr create-repository --repository-name $name/image --image-tag-mutability IMMUTABLE \
  --image-scanning-configuration scanOnPush=true >/dev/null
refused RepositoryAlreadyExistsException aws ecr create-repository --repository-name $name/image
same repository "$account.dkr.ecr.$AWS_REGION.amazonaws.com/$name/image IMMUTABLE" "$(aws ecr describe-repositories \
  --repository-names $name/image --query 'repositories[].[repositoryUri,imageTagMutability]' --output text | tr '\t' ' ')"
same images "" "$(aws ecr list-images --repository-name $name/image --query 'imageIds[]' --output text)"
aws ecr get-login-password | sed 's/^/user = "AWS:/; s/$/"/' | curl -sSf --config - -o /dev/null "$AWS_ENDPOINT_URL/v2/"
aws ecr delete-repository --repository-name $name/image >/dev/null
refused RepositoryNotFoundException aws ecr describe-repositories --repository-names $name/image

stage "cleanup"
aws sagemaker delete-endpoint --endpoint-name $name
aws sagemaker wait endpoint-deleted --endpoint-name $name
aws sagemaker delete-endpoint-config --endpoint-config-name $name
aws sagemaker delete-model --model-name $name
aws sagemaker delete-model-package --model-package-name "$package"
aws sagemaker delete-model-package-group --model-package-group-name $name
aws sagemaker delete-pipeline --pipeline-name $name >/dev/null
refused BucketNotEmpty aws s3api delete-bucket --bucket "$bucket"
aws s3 rb --force "s3://$bucket" >/dev/null
aws s3api wait bucket-not-exists --bucket "$bucket"
refused DeleteConflict aws iam delete-role --role-name $name
aws iam detach-role-policy --role-name $name --policy-arn arn:aws:iam::aws:policy/AmazonSageMakerFullAccess
aws iam delete-role --role-name $name
refused NoSuchEntity aws iam get-role --role-name $name
