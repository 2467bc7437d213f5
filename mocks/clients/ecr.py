"""ECR with boto3, and the registry behind it by its own protocol: what `docker push` and `docker pull` would say.

The endpoint and the credentials come from the environment.
"""

import base64
import hashlib
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

import boto3
from botocore.exceptions import ClientError

NAME = "clients/ecr"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

ecr = boto3.client("ecr", region_name=os.environ["AWS_REGION"])


def stage(title):
    print(f"  {title}", flush=True)


def refused(code, call, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response["Error"]
        return error.response["Error"]["Message"]
    raise AssertionError(f"it was not refused: {parameters}")


def digest(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Registry:
    """A client of the registry, signed in with ECR's token."""

    def __init__(self, password=None):
        (data,) = ecr.get_authorization_token()["authorizationData"]
        self.url = data["proxyEndpoint"]
        token = base64.b64decode(data["authorizationToken"]).decode()
        assert token.startswith("AWS:"), token[:4]
        self.basic = base64.b64encode(f"AWS:{password}".encode()).decode() if password else data["authorizationToken"]

    def ask(self, method, path, content=None, **headers):
        """The status, the headers and the content of the answer."""
        request = urllib.request.Request(urllib.parse.urljoin(self.url, path), data=content, method=method)
        request.add_header("Authorization", f"Basic {self.basic}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def push_blob(self, content):
        name = digest(content)
        if self.ask("HEAD", f"/v2/{NAME}/blobs/{name}")[0] == 200:
            return False
        status, headers, _ = self.ask("POST", f"/v2/{NAME}/blobs/uploads/", b"")
        assert status == 202, status
        # In two pieces, and then the end.
        status, headers, _ = self.ask(
            "PATCH", headers["Location"], content[:7], Content_Range="0-6", Content_Type="application/octet-stream"
        )
        assert status == 202 and headers["Range"] == "0-6", (status, headers)
        place = headers["Location"]
        status, headers, _ = self.ask(
            "PUT", f"{place}{'&' if '?' in place else '?'}digest={urllib.parse.quote(name)}", content[7:],
            Content_Type="application/octet-stream",
        )
        assert status == 201 and headers["Docker-Content-Digest"] == name, (status, headers)
        return True

    def push(self, tag, layer):
        """An image of this one layer; its digest, how much of it was not there yet, and the status."""
        config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}})
        blobs = [(CONFIG, config.encode()), (LAYER, layer)]
        pushed = sum(self.push_blob(content) for _, content in blobs)
        described = [{"mediaType": kind, "size": len(content), "digest": digest(content)} for kind, content in blobs]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}
        content = json.dumps(manifest).encode()
        status, _, answer = self.ask("PUT", f"/v2/{NAME}/manifests/{tag}", content, Content_Type=MANIFEST)
        return digest(content), pushed, status, answer


def main():
    stage("repository: made, described, with its settings")
    assert refused("RepositoryNotFoundException", ecr.describe_repositories, repositoryNames=[NAME])
    repository = ecr.create_repository(
        repositoryName=NAME, imageTagMutability="IMMUTABLE", imageScanningConfiguration={"scanOnPush": True},
        tags=[{"Key": "Project", "Value": "sts"}],
    )["repository"]
    assert repository["repositoryUri"] == f"{repository['registryId']}.dkr.ecr.{ecr.meta.region_name}.amazonaws.com/{NAME}"
    refused("RepositoryAlreadyExistsException", ecr.create_repository, repositoryName=NAME)
    (described,) = ecr.describe_repositories(repositoryNames=[NAME])["repositories"]
    assert described == repository, described
    assert ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"] == [
        {"Key": "Project", "Value": "sts"}
    ]

    stage("registry: signed in, an image pushed, pushed again, and a tag that stays as it is")
    assert Registry("secret").ask("GET", "/v2/")[0] == 400
    registry = Registry()
    assert registry.ask("GET", "/v2/")[0] == 200
    name, pushed, status, _ = registry.push("one", b"not really a layer, and nobody unpacks it")
    assert (pushed, status) == (2, 201), (pushed, status)
    again, pushed, _, _ = registry.push("two", b"not really a layer, and nobody unpacks it")
    assert (again, pushed) == (name, 0), (again, pushed)
    _, _, status, answer = registry.push("one", b"another layer for the same tag")
    assert status == 400 and b"immutable" in answer, (status, answer)

    stage("images: described, listed, fetched, deleted")
    (image,) = ecr.describe_images(repositoryName=NAME, imageIds=[{"imageTag": "one"}])["imageDetails"]
    assert image["imageDigest"] == name and sorted(image["imageTags"]) == ["one", "two"], image
    assert image["imageManifestMediaType"] == MANIFEST and image["imageSizeInBytes"] > 0, image
    pages = ecr.get_paginator("list_images").paginate(repositoryName=NAME, PaginationConfig={"PageSize": 1})
    assert sorted(item["imageTag"] for page in pages for item in page["imageIds"]) == ["one", "two"]
    (fetched,) = ecr.batch_get_image(repositoryName=NAME, imageIds=[{"imageDigest": name}])["images"]
    assert digest(fetched["imageManifest"].encode()) == name, fetched
    status, headers, content = registry.ask("GET", f"/v2/{NAME}/manifests/one", Accept=MANIFEST)
    assert status == 200 and content.decode() == fetched["imageManifest"], (status, content)
    assert headers["Docker-Content-Digest"] == name and headers["Content-Type"] == MANIFEST, headers
    layer = json.loads(content)["layers"][0]["digest"]
    assert digest(registry.ask("GET", f"/v2/{NAME}/blobs/{layer}")[2]) == layer
    refused("ImageNotFoundException", ecr.describe_images, repositoryName=NAME, imageIds=[{"imageTag": "three"}])
    assert ecr.batch_get_image(repositoryName=NAME, imageIds=[{"imageTag": "three"}])["failures"][0]["failureCode"] == (
        "ImageNotFound"
    )

    stage("cleanup")
    refused("RepositoryNotEmptyException", ecr.delete_repository, repositoryName=NAME)
    deleted = ecr.batch_delete_image(repositoryName=NAME, imageIds=[{"imageDigest": name}])
    assert not deleted["failures"] and registry.ask("GET", f"/v2/{NAME}/manifests/one")[0] == 404, deleted
    ecr.delete_repository(repositoryName=NAME)
    refused("RepositoryNotFoundException", ecr.describe_images, repositoryName=NAME)


if __name__ == "__main__":
    sys.exit(main())
