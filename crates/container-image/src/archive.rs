//! An image as one file, as `docker save` writes and `docker load` reads it.
//!
//! Its layers are in it as a registry holds them, so that what is read from it is the image to the byte.

use std::collections::HashMap;
use std::io::Read;

use serde::{Deserialize, Serialize};

use crate::manifest::CONFIG_TYPE;
use crate::{Blob, Error, Image, Layer};

/// The file that lists what is in the archive.
const INDEX: &str = "manifest.json";

/// One image of an archive.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    repo_tags: Vec<String>,
    layers: Vec<String>,
}

impl Image {
    /// The image as an archive, under this name: `sts-container:TAG`.
    ///
    /// # Errors
    /// Never in practice: all of it is packed in memory.
    pub fn to_archive(&self, name: &str) -> Result<Vec<u8>, Error> {
        let config = format!("{}.json", self.config.digest().hex());
        let layers: Vec<_> =
            self.layers.iter().map(|layer| format!("{}.tar.gz", layer.blob().digest().hex())).collect();
        let index = vec![Entry { config: config.clone(), repo_tags: vec![name.to_owned()], layers: layers.clone() }];
        let mut archive = tar::Builder::new(Vec::new());
        let mut append = |path: &str, content: &[u8]| {
            let mut header = tar::Header::new_ustar();
            header.set_mode(0o644);
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, path, content)
        };
        append(INDEX, &serde_json::to_vec(&index)?)?;
        append(&config, self.config.bytes())?;
        for (path, layer) in layers.iter().zip(&self.layers) {
            append(path, layer.blob().bytes())?;
        }
        Ok(archive.into_inner()?)
    }

    /// The image of an archive that [`Image::to_archive`] made, and the name under which it is there.
    ///
    /// # Errors
    /// When it is no such archive, or a part is missing or is not what its name says.
    pub fn from_archive(archive: &[u8]) -> Result<(Self, String), Error> {
        let mut files = HashMap::new();
        let unreadable = |error: std::io::Error| Error::Archive(error.to_string());
        for entry in tar::Archive::new(archive).entries().map_err(unreadable)? {
            let mut entry = entry.map_err(unreadable)?;
            let path = entry.path().map_err(unreadable)?.display().to_string();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(unreadable)?;
            files.insert(path, content);
        }
        let mut take = |path: &str| files.remove(path).ok_or_else(|| Error::Archive(format!("{path} is missing")));
        let index: Vec<Entry> =
            serde_json::from_slice(&take(INDEX)?).map_err(|error| Error::Archive(format!("{INDEX}: {error}")))?;
        let [entry] =
            index.try_into().map_err(|index: Vec<_>| Error::Archive(format!("it has {} images", index.len())))?;
        let config = Blob::new(CONFIG_TYPE, take(&entry.config)?);
        let layers = entry.layers.iter().map(|path| {
            let layer = Layer::packed(take(path)?).map_err(|error| Error::Archive(format!("{path}: {error}")))?;
            let named = path.trim_end_matches(".tar.gz");
            if named == layer.blob().digest().hex() { Ok(layer) } else { Err(altered(path)) }
        });
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        if entry.config.trim_end_matches(".json") != config.digest().hex() {
            return Err(altered(&entry.config));
        }
        let name = entry.repo_tags.into_iter().next().unwrap_or_default();
        Ok((Self::of(config, layers)?, name))
    }
}

fn altered(path: &str) -> Error {
    Error::Archive(format!("{path} is not what its name says: it was altered"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{File, Platform, Runs};

    fn image(content: &str) -> Image {
        let layer = Layer::new([File::program("usr/bin/hello", content.as_bytes().to_vec())]).unwrap();
        let labels = [("org.opencontainers.image.revision".to_owned(), "a revision".to_owned())].into();
        let runs = Runs { entrypoint: vec!["/usr/bin/hello".to_owned()], labels, ..Runs::default() };
        Image::new(&Platform::linux_amd64(), &runs, vec![layer]).unwrap()
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let image = image("hello");
        let archive = image.to_archive("hello:1").unwrap();
        assert_eq!(Image::from_archive(&archive).unwrap(), (image.clone(), "hello:1".to_owned()));
        assert_eq!(image.to_archive("hello:1").unwrap(), archive);
    }

    #[test]
    fn what_is_no_archive_is_refused_and_says_why() {
        let archive = image("hello").to_archive("hello:1").unwrap();
        let mut altered = archive.clone();
        let position = archive.windows(10).position(|window| window == b"a revision").unwrap();
        altered[position] = b'x';
        for (bytes, part) in [
            (&b"hello"[..], "block"),
            (&[0; 1024], "manifest.json is missing"),
            (&archive[..archive.len() / 2], ""),
            (&altered, "it was altered"),
        ] {
            let error = Image::from_archive(bytes).unwrap_err().to_string();
            assert!(error.starts_with("this is no archive of an image") && error.contains(part), "{error}");
        }
    }

    /// The digests as `sha256sum` computes them of what is in the archive.
    #[test]
    fn the_manifest_names_its_parts() {
        let image = image("hello");
        let manifest: serde_json::Value = serde_json::from_slice(image.manifest().bytes()).unwrap();
        let config: serde_json::Value = serde_json::from_slice(image.config().bytes()).unwrap();
        assert_eq!(manifest["mediaType"], "application/vnd.docker.distribution.manifest.v2+json");
        assert_eq!(manifest["config"]["digest"], image.config().digest().as_str());
        assert_eq!(manifest["layers"][0]["size"], image.layers()[0].blob().bytes().len());
        assert_eq!(config["rootfs"]["diff_ids"][0], image.layers()[0].unpacked().as_str());
        assert_eq!(config["config"]["Entrypoint"][0], "/usr/bin/hello");
        assert_eq!(config["architecture"], "amd64");
        let parts: usize =
            [image.manifest(), image.config(), image.layers()[0].blob()].map(|blob| blob.bytes().len()).iter().sum();
        assert_eq!(image.size(), parts);
    }
}
