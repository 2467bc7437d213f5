//! S3 through the real SDK.
