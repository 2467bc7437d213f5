//! What `serve` does in scikit-learn's images, as `sagemaker-containers` 2.8 has it: the code is fetched as the role and laid
//! out in `/opt/ml/code`, and a server loads the model by the script's `model_fn` and answers by its other functions. The
//! server is `serve.py`: the one thing here that must be a Python program.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Kind, NOT_INSTALLED, Refusal, Script, source};
use crate::authorisation::Work;
use crate::jobs::launch::Launch;
use crate::jobs::programs::{Image, Programs};
use crate::jobs::tree::{Tree, remove_folder};

const SERVER: &str = include_str!("serve.py");

/// Makes the server of a script ready, beside the model that is there. `work` is None if the role cannot be assumed any more:
/// code that is there already is served all the same, as the model is.
pub(crate) fn serve(
    work: Option<&Work<'_>>,
    image: &Image,
    programs: &Programs,
    environment: &BTreeMap<String, String>,
    tree: &Tree,
) -> Result<Script, Refusal> {
    let mut launch = Launch::of(programs, image, Vec::new(), environment);
    if launch.environment.get("SAGEMAKER_PROGRAM").is_none_or(String::is_empty) {
        return Err(Refusal::client(
            "nothing says which script serves the model: name it in SAGEMAKER_PROGRAM, in the Environment of the model's \
             container, and where it is in SAGEMAKER_SUBMIT_DIRECTORY",
        ));
    }
    let code = tree.at("code");
    if !code.exists() {
        fetch(work, launch.environment.get("SAGEMAKER_SUBMIT_DIRECTORY"), tree, &code)?;
    }
    let python = launch.python().map_err(Refusal::framework)?;
    // The toolkit makes a package of whatever the code is, and installs that.
    let mut said = source::requirements(&code, &python, Kind::Package)?;
    if code.join("setup.py").exists() {
        said.push(NOT_INSTALLED.to_owned());
    }
    let server = tree.root().join("serve.py");
    std::fs::write(&server, SERVER).map_err(|error| Refusal::internal(&error))?;
    launch.command = vec![python, server.to_string_lossy().into_owned(), "/opt/ml".to_owned()];
    let base = launch.opt_ml(tree);
    let mut path = format!("{base}/code");
    if source::keeps_modules_in_src(&code) {
        path.push_str(&format!(":{base}/code/src"));
    }
    if let Some(own) = launch.environment.get("PYTHONPATH") {
        path.push_str(&format!(":{own}"));
    }
    launch.environment.insert("PYTHONPATH".to_owned(), path);
    // As the image has it.
    launch.environment.entry("SM_MODEL_DIR".to_owned()).or_insert_with(|| "/opt/ml/model".to_owned());
    Ok(Script { launch, said })
}

/// Lays out the code, whole or not at all, whenever the process is killed.
fn fetch(work: Option<&Work<'_>>, uri: Option<&String>, tree: &Tree, code: &Path) -> Result<(), Refusal> {
    let work = work.ok_or_else(|| Refusal::framework("the role of the model cannot be assumed"))?;
    let part = tree.at("code.part");
    remove_folder(&part);
    std::fs::create_dir_all(&part).map_err(|error| Refusal::internal(&error))?;
    // Without a place of its own, the code is what the image has there: nothing.
    let uri = uri.map(String::as_str).filter(|uri| !uri.is_empty() && uri.trim_end_matches('/') != "/opt/ml/code");
    source::fetch(work, uri, tree, &part)?;
    std::fs::rename(&part, code).map_err(|error| Refusal::internal(&error))
}
