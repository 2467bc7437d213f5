# The repository of the steps' image: tags that stay what they are, scans, and a share for another account.

resource "aws_ecr_repository" "this" {
  name                 = "sts-terraform/container"
  image_tag_mutability = var.revision > 1 ? "IMMUTABLE" : "MUTABLE"
  force_delete         = true
  tags                 = { Project = "sts", Revision = var.revision }

  image_scanning_configuration {
    scan_on_push = var.revision > 1
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name

  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Images without a tag go"
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 * var.revision }
      action       = { type = "expire" }
    }]
  })
}

data "aws_iam_policy_document" "pull" {
  statement {
    sid     = "Pull"
    actions = var.revision > 1 ? ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"] : ["ecr:BatchGetImage"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${local.account}:root"]
    }
  }
}

resource "aws_ecr_repository_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy     = data.aws_iam_policy_document.pull.json
}

data "aws_ecr_repository" "this" {
  name = aws_ecr_repository.this.name
}

# Where the image of the steps would be pushed to.
output "repository_url" {
  value = data.aws_ecr_repository.this.repository_url

  precondition {
    condition     = data.aws_ecr_repository.this.repository_url == "${local.account}.dkr.ecr.${data.aws_region.current.name}.amazonaws.com/sts-terraform/container"
    error_message = "The repository is not where ECR has it."
  }
}
