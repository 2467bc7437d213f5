//! The repository and the image in it.

use bytes::Bytes;

use super::Executor;
use crate::error::Failure;
use crate::plan::Content;
use crate::progress::Transfer;
use crate::registry::Registry;

impl Executor<'_> {
    pub(super) async fn push_blob(&self, digest: &str, content: &Content) -> Result<(), Failure> {
        let content = Bytes::copy_from_slice(&content.0);
        let shown = Transfer::start(content.len());
        let (sent, again) = (shown.clone(), shown.clone());
        let pushed = self
            .registry()?
            .push_blob(digest, &content, move |bytes| sent.advance(bytes), move || again.restart())
            .await;
        shown.end();
        pushed
    }

    pub(super) async fn put_manifest(
        &self,
        tag: &str,
        digest: &str,
        media_type: &str,
        content: &Content,
    ) -> Result<(), Failure> {
        self.registry()?.put_manifest(tag, digest, media_type, &Bytes::copy_from_slice(&content.0)).await
    }

    fn registry(&self) -> Result<&Registry, Failure> {
        self.registry.ok_or_else(|| Failure::operation("a plan that pushes an image was made without a registry"))
    }
}
