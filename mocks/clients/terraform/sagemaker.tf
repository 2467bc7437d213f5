# The registry, the pipeline, and the endpoint with what watches it.

resource "aws_sagemaker_model_package_group" "this" {
  model_package_group_name        = "stsTerraformGroup"
  model_package_group_description = "Paraphrase classifiers"
  tags                            = { Project = "sts", Revision = var.revision }
}

data "aws_iam_policy_document" "group" {
  statement {
    sid       = "Share"
    actions   = var.revision > 1 ? ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"] : ["sagemaker:DescribeModelPackage"]
    resources = [aws_sagemaker_model_package_group.this.arn]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${local.account}:root"]
    }
  }
}

resource "aws_sagemaker_model_package_group_policy" "this" {
  model_package_group_name = aws_sagemaker_model_package_group.this.model_package_group_name
  resource_policy          = jsonencode(jsondecode(data.aws_iam_policy_document.group.json))
}

resource "aws_sagemaker_pipeline" "this" {
  pipeline_name         = "stsTerraformPipeline"
  pipeline_display_name = "sts-terraform-${var.revision}"
  pipeline_description  = "Revision ${var.revision}"
  role_arn              = aws_iam_role.execution.arn

  pipeline_definition = jsonencode(merge(jsondecode(file(var.definition)), {
    Metadata = { Revision = tostring(var.revision) }
  }))

  parallelism_configuration {
    max_parallel_execution_steps = var.revision
  }

  tags = { Project = "sts", Revision = var.revision }
}

resource "aws_sagemaker_model" "this" {
  name               = "sts-terraform-model"
  execution_role_arn = aws_iam_role.execution.arn

  primary_container {
    image          = var.image
    model_data_url = "s3://${aws_s3_bucket.this.id}/${aws_s3_object.model.key}"
    environment    = { STS_LOG = "info" }
  }

  tags = { Project = "sts", Revision = var.revision }

  # The role must be able to read the artefact before the endpoint wants it.
  depends_on = [aws_iam_role_policy.objects]
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  # A configuration never changes: a new one takes the old one's place, and the endpoint moves over.
  name_prefix = "sts-terraform-"

  production_variants {
    variant_name           = "AllTraffic"
    model_name             = aws_sagemaker_model.this.name
    initial_instance_count = 1
    instance_type          = var.revision > 1 ? "ml.m5.xlarge" : "ml.m5.large"
    initial_variant_weight = 1
  }

  data_capture_config {
    enable_capture              = true
    initial_sampling_percentage = 100
    destination_s3_uri          = "s3://${aws_s3_bucket.this.id}/capture"

    capture_options {
      capture_mode = "Input"
    }

    capture_options {
      capture_mode = "Output"
    }

    capture_content_type_header {
      csv_content_types = ["text/csv"]
    }
  }

  tags = { Project = "sts", Revision = var.revision }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = "sts-terraform-endpoint"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
  tags                 = { Project = "sts", Revision = var.revision }
}

resource "aws_cloudwatch_log_group" "pipeline" {
  name              = "/sts/terraform"
  retention_in_days = var.revision > 1 ? 30 : 7
  tags              = { Project = "sts", Revision = var.revision }
}
