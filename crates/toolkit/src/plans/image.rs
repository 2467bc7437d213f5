//! The image, on its way to a registry.

use container_image::manifest::MANIFEST_TYPE;
use container_image::{Blob, Image};

use serde_json::Value;

use crate::aws::ecr;
use crate::error::Failure;
use crate::observe::Seen;
use crate::observe::image::{ImageRepository, Named};
use crate::output::megabytes;
use crate::plan::{Action, Content, Operation, Tag, Verdict};

/// What is wanted.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The image.
    pub image: &'a Image,
    /// The repository as it is written, with its host.
    pub place: &'a str,
    /// The tag that the image is to have.
    pub tag: &'a str,
}

/// What there is.
#[derive(Debug)]
pub struct There {
    /// The repository, where it is one of ECR's.
    pub repository: Option<(String, Seen<ImageRepository>)>,
    /// The image that has the tag.
    pub tagged: Tagged,
    /// The digests of the image's parts that are there.
    pub blobs: Vec<String>,
}

/// The image that has the tag, by the digest of its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tagged {
    /// None has.
    None,
    /// This very one.
    This,
    /// One that runs the same, and of which something else is said: a commit changes the labels, and not the program.
    Same(String),
    /// Another.
    Other(String),
}

impl Tagged {
    /// Compares with an image, by a manifest and a config.
    #[must_use]
    pub fn compare(image: &Image, digest: String, manifest: &Value, config: &Value) -> Self {
        let own: Value = serde_json::from_slice(image.config().bytes()).unwrap_or_default();
        let layers = manifest["layers"].as_array().into_iter().flatten().map(|layer| layer["digest"].as_str());
        let own_layers = image.layers().iter().map(|layer| Some(layer.blob().digest().as_str()));
        let same = manifest["mediaType"] == MANIFEST_TYPE && layers.eq(own_layers);
        match same && without_labels(config.clone()) == without_labels(own) {
            true => Self::Same(digest),
            false => Self::Other(digest),
        }
    }
}

fn without_labels(mut config: Value) -> Value {
    if let Some(container) = config["config"].as_object_mut() {
        container.remove("Labels");
    }
    config
}

/// What has to be done so that the image is there by its tag; `tags` are for a repository of our making.
///
/// # Errors
/// When another image has the tag.
pub fn push(wanted: &Wanted<'_>, there: &There, tags: &[Tag]) -> Result<Vec<Action>, Failure> {
    let Wanted { image, place, tag } = wanted;
    let name = format!("{place}:{tag}");
    let digest = image.digest().as_str();
    let mut actions: Vec<_> = there.repository.iter().map(|(name, seen)| repository_action(name, seen, tags)).collect();
    match &there.tagged {
        Tagged::This => {
            actions.push(Action::keep("image", name, format!("it is there already: {digest}")));
            return Ok(actions);
        }
        Tagged::Same(other) => {
            let because = format!("one that runs the same is there, with other labels: {other}");
            actions.push(Action::keep("image", name, because));
            return Ok(actions);
        }
        Tagged::Other(other) => {
            return Err(Failure::operation(format!("{name} is another image already: {other}, and not {digest}")).hint(
                "a tag is of one source, and stays with its image; `cargo xtask image build` from source that was not \
                 changed makes the same one, unless another toolchain does it: run that one, or name it with STSMM_IMAGE",
            ));
        }
        Tagged::None => {}
    }
    for (kind, blob) in image.layers().iter().map(|layer| ("layer", layer.blob())).chain([("config", image.config())]) {
        actions.push(blob_action(kind, blob, &there.blobs));
    }
    let put = Operation::PutManifest {
        tag: (*tag).to_owned(),
        digest: digest.to_owned(),
        media_type: image.manifest().media_type(),
        content: Content(image.manifest().bytes().to_vec()),
    };
    actions.push(Action::new(Verdict::Create, "image", name, digest, vec![put]));
    Ok(actions)
}

/// The image that the steps shall run, by its digest if it is there, and what a plan says of it.
///
/// Where it is not `needed`, what is not there goes by its tag, and nothing is said.
#[must_use]
pub fn pin(image: &str, named: &Named<'_>, found: Option<&ecr::Image>, needed: bool) -> (String, Option<Action>) {
    let missing = |because: String| Action::new(Verdict::Missing, "image", image, because, Vec::new());
    match found {
        Some(found) if found.media_type == MANIFEST_TYPE => {
            let because = format!("it is in the registry: the steps run {}", found.digest);
            (named.pinned(&found.digest), Some(Action::keep("image", image, because)))
        }
        Some(ecr::Image { media_type, .. }) => {
            let because = format!("SageMaker takes no image of the type {media_type}, but {MANIFEST_TYPE}");
            (image.to_owned(), Some(missing(because)))
        }
        None if needed => (image.to_owned(), Some(missing("it is not in the registry".to_owned()))),
        None => (image.to_owned(), None),
    }
}

fn repository_action(name: &str, seen: &Seen<ImageRepository>, tags: &[Tag]) -> Action {
    let found = match seen {
        Seen::Present(found) => found,
        Seen::Absent => {
            let create = Operation::CreateRepository { name: name.to_owned(), tags: tags.to_vec() };
            let because = "it does not exist: its tags stay, and what is pushed is scanned";
            return Action::new(Verdict::Create, "repository", name, because, vec![create]);
        }
        Seen::Unknown(why) => return Action::new(Verdict::Unknown, "repository", name, why, Vec::new()),
    };
    let maker = if found.made_by_us { "we made it" } else { "we did not make it, so we leave its settings alone" };
    let because = match differs(found).as_slice() {
        [] => "it is there, its tags stay, and what is pushed is scanned".to_owned(),
        differs => format!("it is there; {maker}; {}", differs.join(", ")),
    };
    Action::keep("repository", name, because)
}

/// In what a repository differs from one of our making.
#[must_use]
pub fn differs(found: &ImageRepository) -> Vec<&'static str> {
    let settings = &found.settings;
    let mutable = (!settings.immutable).then_some("its tags may be given to other images");
    let unscanned = (!settings.scan_on_push).then_some("what is pushed is not scanned by its own settings");
    mutable.into_iter().chain(unscanned).collect()
}

fn blob_action(kind: &'static str, blob: &Blob, there: &[String]) -> Action {
    let digest = blob.digest().as_str();
    if there.iter().any(|it| it == digest) {
        return Action::keep(kind, digest, "it is there");
    }
    let push = Operation::PushBlob {
        digest: digest.to_owned(),
        bytes: blob.bytes().len(),
        content: Content(blob.bytes().to_vec()),
    };
    Action::new(
        Verdict::Create,
        kind,
        digest,
        format!("{} that are not there yet", megabytes(blob.bytes().len())),
        vec![push],
    )
}

#[cfg(test)]
mod tests {
    use container_image::{File, Layer, Platform, Runs};

    use super::*;
    fn image() -> Image {
        let layer = Layer::new([File::program("usr/bin/hello", b"hello".to_vec())]).unwrap();
        Image::new(&Platform::linux_amd64(), &Runs::default(), vec![layer]).unwrap()
    }

    fn repository(immutable: bool, made_by_us: bool) -> Seen<ImageRepository> {
        let settings = ecr::Repository { arn: "arn".into(), immutable, scan_on_push: immutable };
        Seen::Present(ImageRepository { settings, made_by_us })
    }

    #[track_caller]
    fn check(there: &There, expected: &[(&str, Verdict)]) {
        let image = image();
        let wanted = Wanted { image: &image, place: "r/sts", tag: "one" };
        let actions = push(&wanted, there, &[]).unwrap();
        let made: Vec<_> = actions.iter().map(|action| (action.kind, action.verdict)).collect();
        assert_eq!(made, expected, "{there:?}");
    }

    #[test]
    fn only_what_is_missing_is_pushed() {
        use Verdict::{Create, Keep};
        let (image, name) = (image(), || "sts".to_owned());
        let there = |repository, tagged, blobs| There { repository, tagged, blobs };
        let layer = image.layers()[0].blob().digest().as_str().to_owned();
        let all = [("repository", Create), ("layer", Create), ("config", Create), ("image", Create)];
        check(&there(Some((name(), Seen::Absent)), Tagged::None, vec![]), &all);
        check(&there(None, Tagged::None, vec![]), &all[1..]);
        let some = [("repository", Keep), ("layer", Keep), ("config", Create), ("image", Create)];
        check(&there(Some((name(), repository(true, true))), Tagged::None, vec![layer]), &some);
        for tagged in [Tagged::This, Tagged::Same("sha256:0".into())] {
            check(
                &there(Some((name(), repository(true, true))), tagged, vec![]),
                &[("repository", Keep), ("image", Keep)],
            );
        }
    }

    #[test]
    fn labels_make_no_other_image() {
        let of = |content: &str, entrypoint: &str, label: &str| {
            let layer = Layer::new([File::program("usr/bin/hello", content.into())]).unwrap();
            let labels = [("revision".to_owned(), label.to_owned())].into();
            let runs = Runs { entrypoint: vec![entrypoint.to_owned()], labels, ..Runs::default() };
            Image::new(&Platform::linux_amd64(), &runs, vec![layer]).unwrap()
        };
        let one = of("hello", "/hello", "1");
        for (other, same) in [
            (of("hello", "/hello", "2"), true),
            (of("hello", "/hallo", "1"), false),
            (of("hallo", "/hello", "1"), false),
        ] {
            let json = |blob: &Blob| serde_json::from_slice(blob.bytes()).unwrap();
            let digest = other.digest().to_string();
            let found = Tagged::compare(&one, digest.clone(), &json(other.manifest()), &json(other.config()));
            assert_eq!(found, if same { Tagged::Same(digest) } else { Tagged::Other(digest) });
        }
    }

    #[test]
    fn a_tag_of_another_image_is_left_to_it() {
        let image = image();
        let wanted = Wanted { image: &image, place: "r/sts", tag: "one" };
        let there = There { repository: None, tagged: Tagged::Other("sha256:0".to_owned()), blobs: vec![] };
        let refused = push(&wanted, &there, &[]).unwrap_err();
        assert!(refused.to_string().starts_with("r/sts:one is another image already: sha256:0"), "{refused}");
    }

    #[test]
    fn an_image_that_is_there_is_pinned() {
        const IMAGE: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts:one";
        let pinned = IMAGE.replace(":one", "@sha256:ab");
        let of = |media_type: &str| Some(ecr::Image { digest: "sha256:ab".into(), media_type: media_type.into() });
        let oci = "application/vnd.oci.image.manifest.v1+json";
        for (found, needed, image, verdict) in [
            (of(MANIFEST_TYPE), true, pinned.as_str(), Some(Verdict::Keep)),
            (of(MANIFEST_TYPE), false, &pinned, Some(Verdict::Keep)),
            (of(oci), false, IMAGE, Some(Verdict::Missing)),
            (None, true, IMAGE, Some(Verdict::Missing)),
            (None, false, IMAGE, None),
        ] {
            let (run, action) = pin(IMAGE, &Named::read(IMAGE).unwrap(), found.as_ref(), needed);
            assert_eq!((run.as_str(), action.map(|action| action.verdict)), (image, verdict), "{found:?}");
        }
    }

    #[test]
    fn what_differs_is_said_and_left() {
        for (seen, expected) in [
            (repository(true, false), "it is there, its tags stay"),
            (repository(false, false), "we did not make it, so we leave its settings alone; its tags may be given"),
            (repository(false, true), "we made it; its tags may be given"),
        ] {
            let action = repository_action("sts", &seen, &[]);
            assert!(action.because.contains(expected) && action.operations.is_empty(), "{}", action.because);
        }
    }
}
