//! Container images made from files, without Docker: the same files make the same bytes, and so the same digest.
//!
//! Images are Docker's, of version 2, schema 2: SageMaker refuses OCI's manifests. All of it is in memory; whoever uses
//! this reads and writes.
//!
//! | module | what it knows |
//! |---|---|
//! | [`layer`] | files, packed so that nothing but their names, modes and contents counts |
//! | [`manifest`] | what an image runs, and the list of its parts |
//! | [`archive`] | an image as one file, which `docker load` takes |
//! | [`blob`] | bytes that are named by their digest |
//!
//! ```
//! use container_image::{Image, Layer, Platform, Runs};
//!
//! let layer = Layer::new([container_image::File::program("usr/bin/hello", b"#!/bin/sh\n".to_vec())])?;
//! let runs = Runs { entrypoint: vec!["/usr/bin/hello".to_owned()], ..Runs::default() };
//! let image = Image::new(&Platform::linux_amd64(), &runs, vec![layer])?;
//! assert!(image.digest().as_str().starts_with("sha256:"));
//! # Ok::<(), container_image::Error>(())
//! ```

pub mod archive;
pub mod blob;
pub mod layer;
pub mod manifest;

pub use blob::{Blob, Digest};
pub use layer::{File, Layer};
pub use manifest::{Platform, Runs};

use manifest::{Config, Manifest};

/// Why an image cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file's path cannot be in a layer.
    #[error("{path:?} cannot be a path in an image: it must be relative, and stay below the root")]
    Path {
        /// The path.
        path: String,
    },
    /// A layer has two files of one path.
    #[error("{path:?} is twice in a layer")]
    Twice {
        /// The path.
        path: String,
    },
    /// An archive that cannot be read.
    #[error("this is no archive of an image: {0}")]
    Archive(String),
    /// Packing or unpacking failed. In memory it does not.
    #[error("the image cannot be packed")]
    Pack(#[from] std::io::Error),
    /// A part cannot be written as JSON. What is made here always can.
    #[error("the image cannot be described")]
    Describe(#[from] serde_json::Error),
}

/// An image: what a registry holds of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    manifest: Blob,
    config: Blob,
    layers: Vec<Layer>,
}

impl Image {
    /// An image of these layers, lowest first, for this platform.
    ///
    /// # Errors
    /// Never in practice: all of it can be written as JSON.
    pub fn new(platform: &Platform, runs: &Runs, layers: Vec<Layer>) -> Result<Self, Error> {
        let config = Config::new(platform, runs, &layers);
        Self::of(Blob::new(manifest::CONFIG_TYPE, serde_json::to_vec(&config)?), layers)
    }

    /// An image of the parts that an archive holds.
    fn of(config: Blob, layers: Vec<Layer>) -> Result<Self, Error> {
        let manifest = Manifest::new(&config, &layers);
        Ok(Self { manifest: Blob::new(manifest::MANIFEST_TYPE, serde_json::to_vec(&manifest)?), config, layers })
    }

    /// The list of the parts: what a tag of a registry stands for.
    #[must_use]
    pub fn manifest(&self) -> &Blob {
        &self.manifest
    }

    /// What it runs, and how.
    #[must_use]
    pub fn config(&self) -> &Blob {
        &self.config
    }

    /// Its files, lowest layer first.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The image's name that never means another image: `REPOSITORY@sha256:...`.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        self.manifest.digest()
    }

    /// How many bytes a registry keeps of it, and whoever pulls it transfers.
    #[must_use]
    pub fn size(&self) -> usize {
        let layers: usize = self.layers.iter().map(|layer| layer.blob().bytes().len()).sum();
        self.manifest.bytes().len() + self.config.bytes().len() + layers
    }
}
