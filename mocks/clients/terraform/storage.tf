# The bucket, set up as AWS advises, and the model artefact in it.

resource "aws_s3_bucket" "this" {
  bucket        = local.bucket
  force_destroy = true
  tags          = { Project = "sts", Revision = var.revision }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = var.revision > 1

    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = var.revision > 1 ? "Suspended" : "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "captured"
    status = "Enabled"

    filter {
      prefix = "capture/"
    }

    expiration {
      days = 30 * var.revision
    }
  }

  rule {
    id     = "uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_cors_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  cors_rule {
    allowed_methods = ["GET"]
    allowed_origins = ["https://studio.example.com"]
    max_age_seconds = 300
  }
}

data "aws_iam_policy_document" "bucket" {
  statement {
    sid     = "DenyPlainHttp"
    effect  = "Deny"
    actions = ["s3:*"]

    resources = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = data.aws_iam_policy_document.bucket.json

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_object" "model" {
  bucket      = aws_s3_bucket.this.id
  key         = "models/v1/model.tar.gz"
  source      = var.model
  source_hash = filemd5(var.model)
  tags        = { Revision = var.revision }

  # After the settings that say how an object is kept.
  depends_on = [
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_versioning.this,
  ]
}

resource "aws_s3_object" "note" {
  bucket        = aws_s3_bucket.this.id
  key           = "notes/été + 100%.txt"
  content       = "revision ${var.revision}\n"
  content_type  = "text/plain; charset=utf-8"
  cache_control = "no-store"
  metadata      = { revision = var.revision }

  depends_on = [aws_s3_bucket_versioning.this]
}
