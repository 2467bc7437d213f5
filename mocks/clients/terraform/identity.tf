# Who the jobs and endpoints are, and what they may do; and a user who may start the pipeline.

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_iam_role" "execution" {
  name                 = "sts-terraform-execution"
  path                 = "/service-role/"
  description          = "Runs the pipeline, revision ${var.revision}"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600 * (1 + var.revision)
  tags                 = { Project = "sts", Revision = var.revision }
}

data "aws_iam_policy_document" "objects" {
  statement {
    actions   = var.revision > 1 ? ["s3:GetObject", "s3:PutObject"] : ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${aws_s3_bucket.this.arn}/*"]
  }

  statement {
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.this.arn]
  }
}

resource "aws_iam_role_policy" "objects" {
  name   = "objects"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.objects.json
}

data "aws_iam_policy_document" "start" {
  statement {
    actions   = ["sagemaker:StartPipelineExecution", "sagemaker:DescribePipelineExecution"]
    resources = var.revision > 1 ? [aws_sagemaker_pipeline.this.arn] : ["*"]
  }
}

resource "aws_iam_policy" "start" {
  name        = "sts-terraform-start"
  description = "May start the pipeline"
  policy      = data.aws_iam_policy_document.start.json
  tags        = { Revision = var.revision }
}

resource "aws_iam_role_policy_attachment" "start" {
  role       = aws_iam_role.execution.name
  policy_arn = aws_iam_policy.start.arn
}

resource "aws_iam_role_policy_attachment" "managed" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
}

resource "aws_iam_user" "starter" {
  name                 = "sts-terraform-starter"
  permissions_boundary = var.revision > 1 ? aws_iam_policy.start.arn : null
  tags                 = { Revision = var.revision }
}

resource "aws_iam_user_policy_attachment" "start" {
  user       = aws_iam_user.starter.name
  policy_arn = aws_iam_policy.start.arn
}

resource "aws_iam_user_policy" "list" {
  name = "list"
  user = aws_iam_user.starter.name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sagemaker:ListPipelineExecutions", Resource = "*" }]
  })
}

resource "aws_iam_access_key" "starter" {
  user   = aws_iam_user.starter.name
  status = var.revision > 1 ? "Inactive" : "Active"
}
