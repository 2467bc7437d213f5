# What a team keeps in Terraform for one pipeline on SageMaker: a bucket, a role, the registry's group, the pipeline, and
# an endpoint that captures. Nothing in here says that AWS is a fake: AWS_ENDPOINT_URL and the credentials do.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

# What the second apply changes in place.
variable "revision" {
  type    = number
  default = 1
}

variable "definition" {
  type        = string
  description = "The file of the pipeline's definition."
}

variable "image" {
  type    = string
  default = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:latest"
}

variable "model" {
  type        = string
  description = "The model artefact to serve, a model.tar.gz."
}

provider "aws" {
  region = "eu-west-1"
  # Not every resolver knows names below localhost, as http://BUCKET.localhost would need.
  s3_use_path_style = true

  default_tags {
    tags = { ManagedBy = "terraform" }
  }
}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  bucket  = "sts-terraform-${data.aws_region.current.name}-${local.account}"
}
