"""S3 with boto3: keys, addressing styles, checksums, parts, conditions, ranges, lists, copies and presigned URLs.

The endpoint and the credentials come from the environment. Every check runs with buckets in the path and, as AWS itself
prefers it, in the name of the host.
"""

import hashlib
import io
import os
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

PORT = urllib.parse.urlparse(os.environ["AWS_ENDPOINT_URL"]).port
REGION = os.environ["AWS_REGION"]
BUCKET = "clients-s3"
# What a client, a proxy or a server may take for something else.
KEYS = [
    "plain", "sp ace", "plus+", "percent%", "percent%25", "é/ü", "emoji😀", "a//b", "/first", "last/", "a/../b", "./x",
    ".", "..", "question?x=1&y", "hash#", "semi;colon", "quote'\"", "<xml>&", "tab\tx", "new\nline", "\x7f", "k" * 1024,
]


def resolve_localhost(resolve):
    """Not every resolver knows names below localhost, as browsers and curl do."""
    def resolved(host, *arguments, **options):
        name = host.decode() if isinstance(host, bytes) else host
        below = isinstance(name, str) and name.endswith(".localhost")
        return resolve("127.0.0.1" if below else host, *arguments, **options)
    return resolved


socket.getaddrinfo = resolve_localhost(socket.getaddrinfo)


def client(style, region=REGION, **options):
    config = Config(s3={"addressing_style": style}, **options)
    return boto3.client("s3", region_name=region, endpoint_url=f"http://localhost:{PORT}", config=config)


def refused(call, code, **parameters):
    try:
        call(Bucket=BUCKET, **parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response["Error"]
        return error.response["ResponseMetadata"]
    raise AssertionError(f"it was not refused: {parameters}")


def fetch(url, **options):
    with urllib.request.urlopen(urllib.request.Request(url, **options)) as answer:
        return answer.read()


def keys(s3):
    for key in KEYS:
        content = key.encode()[:50]
        s3.put_object(Bucket=BUCKET, Key=key, Body=content, Metadata={"of": "key"})
        got = s3.get_object(Bucket=BUCKET, Key=key)
        assert got["Body"].read() == content and got["Metadata"] == {"of": "key"}, key
        listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["Contents"]
        assert key in [each["Key"] for each in listed], key
        s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": key})
        assert s3.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == content, key
        url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=60)
        assert fetch(url) == content, key
        s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key}]})
        assert refused(s3.head_object, "404", Key=key)["HTTPStatusCode"] == 404, key
    # Refused before its body is sent: what follows on the connection must not be taken for that.
    for _ in range(20):
        refused(s3.put_object, "KeyTooLongError", Key="k" * 1025, Body=b"x")
        s3.put_object(Bucket=BUCKET, Key="fine", Body=b"x" * 100)


def checksums(s3):
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        member = f"Checksum{algorithm}"
        put = s3.put_object(Bucket=BUCKET, Key="sum", Body=b"hello", ChecksumAlgorithm=algorithm)
        head = s3.head_object(Bucket=BUCKET, Key="sum", ChecksumMode="ENABLED")
        assert put[member] == head[member] and head["ChecksumType"] == "FULL_OBJECT"
    refused(s3.put_object, "BadDigest", Key="sum", Body=b"hello", ChecksumSHA1="AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    # A client that sends none gets the one that S3 computes.
    client("path", request_checksum_calculation="when_required").put_object(Bucket=BUCKET, Key="sum", Body=b"hello")
    assert "ChecksumCRC64NVME" in s3.head_object(Bucket=BUCKET, Key="sum", ChecksumMode="ENABLED")

    class Stream:
        """What cannot be read twice goes in chunks, with the checksum after them."""

        def __init__(self, content):
            self.read = io.BytesIO(content).read

    s3.upload_fileobj(Stream(b"x" * 100_000), BUCKET, "stream")
    head = s3.head_object(Bucket=BUCKET, Key="stream")
    assert head["ContentLength"] == 100_000 and "ContentEncoding" not in head


def parts(s3):
    content = os.urandom(18 << 20)
    extra = {"Metadata": {"a": "b"}, "ContentType": "text/csv", "Tagging": "k=v"}
    s3.upload_fileobj(io.BytesIO(content), BUCKET, "large", ExtraArgs=extra)
    back = io.BytesIO()
    s3.download_fileobj(BUCKET, "large", back)
    assert back.getvalue() == content
    head = s3.head_object(Bucket=BUCKET, Key="large", PartNumber=2)
    assert head["PartsCount"] == 3 and head["ETag"].endswith('-3"') and head["ContentType"] == "text/csv"
    assert s3.get_object_tagging(Bucket=BUCKET, Key="large")["TagSet"] == [{"Key": "k", "Value": "v"}]
    s3.copy({"Bucket": BUCKET, "Key": "large"}, BUCKET, "large copy")
    assert s3.head_object(Bucket=BUCKET, Key="large copy")["ContentLength"] == len(content)

    upload = dict(Bucket=BUCKET, Key="parts", UploadId=s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"])
    source = {"CopySource": f"{BUCKET}/large", "CopySourceRange": "bytes=0-5242879"}
    first = s3.upload_part_copy(**upload, PartNumber=1, **source)["CopyPartResult"]["ETag"]
    tags = [first] + [s3.upload_part(**upload, PartNumber=number, Body=b"x" * 10)["ETag"] for number in (2, 3)]
    listed = s3.list_parts(**upload, MaxParts=2)
    assert listed["IsTruncated"] and [each["PartNumber"] for each in listed["Parts"]] == [1, 2]
    assert [each["Key"] for each in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == ["parts"]
    chosen = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
    upload_only = {name: value for name, value in upload.items() if name != "Bucket"}
    complete = s3.complete_multipart_upload
    refused(complete, "EntityTooSmall", **upload_only, MultipartUpload={"Parts": chosen})
    refused(complete, "InvalidPartOrder", **upload_only, MultipartUpload={"Parts": chosen[1::-1]})
    complete(**upload, MultipartUpload={"Parts": chosen[:2]})
    assert s3.head_object(Bucket=BUCKET, Key="parts")["ContentLength"] == 5_242_890
    refused(s3.abort_multipart_upload, "NoSuchUpload", **upload_only)


def conditions(s3):
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"0123456789")
    tag = s3.head_object(Bucket=BUCKET, Key="k")["ETag"]
    assert tag == f'"{hashlib.md5(b"0123456789").hexdigest()}"'
    refused(s3.put_object, "PreconditionFailed", Key="k", Body=b"x", IfNoneMatch="*")
    refused(s3.put_object, "PreconditionFailed", Key="k", Body=b"x", IfMatch='"other"')
    refused(s3.put_object, "NoSuchKey", Key="none", Body=b"x", IfMatch=tag)
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"0123456789", IfMatch=tag)
    refused(s3.get_object, "304", Key="k", IfNoneMatch=tag)
    refused(s3.head_object, "412", Key="k", IfMatch='"other"')
    source = {"Key": "copy", "CopySource": f"{BUCKET}/k"}
    refused(s3.copy_object, "PreconditionFailed", **source, CopySourceIfNoneMatch=tag)
    for wanted, content, range in (
        ("bytes=0-3", b"0123", "bytes 0-3/10"), ("bytes=5-", b"56789", "bytes 5-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"), ("bytes=0-100", b"0123456789", "bytes 0-9/10"),
    ):
        got = s3.get_object(Bucket=BUCKET, Key="k", Range=wanted)
        assert got["Body"].read() == content and got["ContentRange"] == range, wanted
    refused(s3.get_object, "InvalidRange", Key="k", Range="bytes=20-")
    overridden = s3.get_object(Bucket=BUCKET, Key="k", ResponseContentType="x/y", ResponseCacheControl="no-cache")
    assert (overridden["ContentType"], overridden["CacheControl"]) == ("x/y", "no-cache")


def lists(s3):
    for key in ("l/a", "l/b/1", "l/b/2", "l/c d", "l/é", "l/z/"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    level = s3.list_objects_v2(Bucket=BUCKET, Prefix="l/", Delimiter="/")
    assert [each["Prefix"] for each in level["CommonPrefixes"]] == ["l/b/", "l/z/"] and level["KeyCount"] == 5
    after = s3.list_objects_v2(Bucket=BUCKET, Prefix="l/", StartAfter="l/b/1", FetchOwner=True)["Contents"][0]
    assert after["Key"] == "l/b/2" and after["Owner"]["ID"]
    escaped = s3.list_objects_v2(Bucket=BUCKET, Prefix="l/é", EncodingType="url")["Contents"]
    assert [urllib.parse.unquote_plus(each["Key"]) for each in escaped] == ["l/é"]
    refused(s3.list_objects_v2, "InvalidArgument", ContinuationToken="guess")
    for operation in ("list_objects", "list_objects_v2"):
        pages = s3.get_paginator(operation).paginate(
            Bucket=BUCKET, Prefix="l/", Delimiter="/", PaginationConfig={"PageSize": 2},
        )
        found = [each["Key"] for page in pages for each in page.get("Contents", [])]
        assert found == ["l/a", "l/c d", "l/é"], found
    quiet = {"Objects": [{"Key": "l/a"}, {"Key": "none"}], "Quiet": True}
    assert not {"Deleted", "Errors"} & set(s3.delete_objects(Bucket=BUCKET, Delete=quiet))
    loud = {"Objects": [{"Key": "l/b/1"}, {"Key": "none"}]}
    assert len(s3.delete_objects(Bucket=BUCKET, Delete=loud)["Deleted"]) == 2


def copies(s3):
    put = dict(Bucket=BUCKET, Key="source", Body=b"x", ContentType="t/s", Metadata={"a": "1"}, Tagging="k=v")
    s3.put_object(**put)
    copy = dict(Bucket=BUCKET, Key="target", CopySource=f"{BUCKET}/source")
    s3.copy_object(**copy)
    head = s3.head_object(Bucket=BUCKET, Key="target")
    assert head["Metadata"] == {"a": "1"} and head["ContentType"] == "t/s"
    directives = dict(MetadataDirective="REPLACE", Metadata={"b": "2"}, TaggingDirective="REPLACE", Tagging="x=y")
    s3.copy_object(**copy, **directives)
    assert s3.head_object(Bucket=BUCKET, Key="target")["Metadata"] == {"b": "2"}
    assert s3.get_object_tagging(Bucket=BUCKET, Key="target")["TagSet"] == [{"Key": "x", "Value": "y"}]
    refused(s3.copy_object, "InvalidRequest", Key="source", CopySource=f"{BUCKET}/source")
    refused(s3.copy_object, "NoSuchKey", Key="target", CopySource=f"{BUCKET}/none")


def presigned(s3):
    params = {"Bucket": BUCKET, "Key": "signed", "ContentType": "a/b"}
    url = s3.generate_presigned_url("put_object", Params=params, ExpiresIn=60)
    fetch(url, data=b"hi", method="PUT", headers={"Content-Type": "a/b"})
    params.pop("ContentType")
    assert s3.get_object(**params)["Body"].read() == b"hi"
    url = s3.generate_presigned_url("get_object", Params=params, ExpiresIn=1)
    time.sleep(2.1)
    try:
        fetch(url)
        raise AssertionError("a presigned URL outlives its end")
    except urllib.error.HTTPError as error:
        assert error.code == 403 and b"Request has expired" in error.read()


def places(s3):
    assert s3.head_bucket(Bucket=BUCKET)["BucketRegion"] == REGION
    where = refused(s3.head_bucket, "403", ExpectedBucketOwner="999999999999")["HTTPHeaders"]["x-amz-bucket-region"]
    assert where == REGION
    # boto3 learns from the refusal where the bucket is, and asks there.
    assert client("path", region="us-east-1").head_bucket(Bucket=BUCKET)["BucketRegion"] == REGION
    listed = s3.list_buckets(Prefix=BUCKET)["Buckets"]
    assert [(each["Name"], each["BucketRegion"]) for each in listed] == [(BUCKET, REGION)]


def main():
    for style in ("path", "virtual"):
        print(f"  S3 with the bucket in the {'path' if style == 'path' else 'host'}", flush=True)
        s3 = client(style)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for check in (keys, checksums, parts, conditions, lists, copies, presigned, places):
            check(s3)
        bucket = boto3.resource("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"]).Bucket(BUCKET)
        bucket.objects.all().delete()
        bucket.delete()


if __name__ == "__main__":
    sys.exit(main())
