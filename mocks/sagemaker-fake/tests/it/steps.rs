//! Other people's steps: what a map of images says, `/opt/ml`, script mode, and limits.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use sagemaker_fake::Fake;
use sagemaker_fake::jobs::programs::Programs;
use sagemaker_fake::jobs::{Kind, Status};
use serde_json::{Value, json};

use crate::account::{Account, BUCKET, Meeting, channel, input, output, processing_job, programs, training_job};

/// An image that is mapped to nothing but this machine's own programs, or what a test adds.
const IMAGE: &str = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3";

/// A map of images in a file.
struct Map {
    folder: tempfile::TempDir,
}

impl Map {
    /// That maps the image with these lines.
    fn new(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("[[image]]\nuri = \"*/sagemaker-scikit-learn:*\"\n{lines}\n");
        fs::write(folder.path().join("images.toml"), text).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("images.toml")
    }

    fn programs(&self) -> Programs {
        programs().file(&self.path()).unwrap()
    }

    fn account(&self) -> Account {
        Account::of(Fake::builder().programs(self.programs()).build().unwrap())
    }

    /// On a machine that cannot show the files of a job as `/opt/ml`.
    fn relocated(&self) -> Account {
        Account::of(Fake::builder().programs(self.programs().relocated()).build().unwrap())
    }
}

/// A processing job of the image.
fn processing(name: &str, entrypoint: &[&str], arguments: &[&str]) -> Value {
    let mut request = processing_job(name, "");
    request["AppSpecification"] = json!({"ImageUri": IMAGE, "ContainerEntrypoint": entrypoint});
    if !arguments.is_empty() {
        request["AppSpecification"]["ContainerArguments"] = json!(arguments);
    }
    request
}

/// A training job of the image, with these hyperparameters and the code in S3.
fn training(name: &str, hyperparameters: Value) -> Value {
    let mut request = training_job(name, "");
    request["AlgorithmSpecification"] = json!({"TrainingImage": IMAGE, "TrainingInputMode": "File"});
    request["HyperParameters"] = hyperparameters;
    request
}

/// The hyperparameters of script mode as AWS's SDK writes them, and further ones.
fn script(program: &str, further: &[(&str, &str)]) -> Value {
    let mut all = json!({
        "sagemaker_program": format!("\"{program}\""),
        "sagemaker_submit_directory": format!("\"s3://{BUCKET}/code/sourcedir.tar.gz\""),
        "sagemaker_container_log_level": "20",
        "sagemaker_region": "\"eu-west-1\"",
    });
    for (name, value) in further {
        all[*name] = json!(value);
    }
    all
}

/// Puts an archive of these files where [`script`] says.
fn put_code(account: &Account, files: &[(&str, &str)]) {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    account.put("code/sourcedir.tar.gz", tar.into_inner().unwrap().finish().unwrap());
}

/// What a job printed, without what the fake itself has to say.
fn printed(account: &Account, kind: Kind, name: &str) -> Vec<String> {
    account.log(kind, name).into_iter().filter(|line| !line.starts_with('(')).collect()
}

/// Whether this machine can show the files of a job as `/opt/ml`. A test that needs that says so if it cannot.
async fn has_opt_ml(account: &Account) -> bool {
    account.process(processing("probe", &["/bin/sh", "-c", "true"], &[])).await;
    let can = account.log(Kind::ProcessingJob, "probe").is_empty();
    if !can {
        eprintln!("nothing to test: this machine has no namespaces for /opt/ml");
    }
    can
}

const SCRIPT: &str = "set -e\ncd /opt/ml/processing\ncat input/data/a.txt > output/b.txt\necho x > /opt/ml/output/message\n\
                      echo \"$1 $DATA $PWD\"\n";

#[tokio::test]
async fn a_processing_script_finds_opt_ml() {
    let map = Map::new("environment = { DATA = \"/opt/ml/processing/data\", LEVEL = \"1\" }");
    let account = map.account();
    if !has_opt_ml(&account).await {
        return;
    }
    account.put("code/x.sh", SCRIPT);
    account.put("data/a.txt", "one");
    let mut request =
        processing("job", &["/bin/sh", "/opt/ml/processing/input/code/x.sh"], &["/opt/ml/processing/input"]);
    request["ProcessingInputs"] = json!([input("input/code", "code/x.sh"), input("input/data", "data/a.txt")]);
    request["ProcessingOutputConfig"] = json!({"Outputs": [output("output", "out")]});
    let job = account.process(request).await;
    assert_eq!((job.status, job.failure_reason), (Status::Completed, None));
    assert_eq!(account.text("out/b.txt"), "one");
    assert_eq!(job.exit_message.as_deref(), Some("x\n"));
    assert_eq!(
        account.log(Kind::ProcessingJob, "job"),
        ["/opt/ml/processing/input /opt/ml/processing/data /opt/ml/processing"]
    );
}

#[tokio::test]
async fn two_jobs_at_once_have_two_opt_mls() {
    let account = Map::new("").account();
    if !has_opt_ml(&account).await {
        return;
    }
    let meeting = Meeting::new(&["one", "go"]);
    let folder = meeting.folder().display();
    let one = format!(
        "echo one > /opt/ml/output/message; echo x > {folder}/one; read x < {folder}/go; cat /opt/ml/output/message"
    );
    account.call("CreateProcessingJob", processing("one", &["/bin/sh", "-c", &one], &[])).unwrap();
    meeting.hear("one").await;
    let two =
        account.process(processing("two", &["/bin/sh", "-c", "test ! -e /opt/ml/output/message; ls /opt"], &[])).await;
    assert_eq!(two.status, Status::Completed);
    meeting.tell("go").await;
    assert_eq!(account.ended(Kind::ProcessingJob, "one").await.status, Status::Completed);
    assert_eq!(account.log(Kind::ProcessingJob, "one"), ["one"]);
    // What is really in `/opt` is there too.
    let mut expected: Vec<_> =
        fs::read_dir("/opt").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    expected.retain(|name| !name.starts_with('.') && name != "ml");
    expected.push("ml".to_owned());
    expected.sort();
    let mut seen = account.log(Kind::ProcessingJob, "two");
    seen.sort();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn where_there_is_no_opt_ml_what_names_it_is_told_anew() {
    let account = Map::new("environment = { DATA = \"/opt/ml/processing/data\" }").relocated();
    account.put("code/x.sh", "echo \"$1 $2 $DATA\"; echo x > \"$1/b.txt\"");
    let mut request = processing(
        "job",
        &["/bin/sh", "/opt/ml/processing/input/code/x.sh"],
        &["/opt/ml/processing/output", "--in=/opt/ml/processing/input"],
    );
    request["ProcessingInputs"] = json!([input("input/code", "code/x.sh")]);
    request["ProcessingOutputConfig"] = json!({"Outputs": [output("output", "out")]});
    let job = account.process(request).await;
    assert_eq!((job.status, job.failure_reason), (Status::Completed, None));
    assert_eq!(account.text("out/b.txt"), "x\n");
    let log = account.log(Kind::ProcessingJob, "job");
    let root = account.fake.folder().join("jobs/eu-west-1/processing-job/job/1/algo-1/opt/ml/processing");
    let root = root.display();
    assert!(log[0].starts_with("(/opt/ml is at ") && log[0].contains("install bubblewrap"), "{}", log[0]);
    assert_eq!(log[1..], [format!("{root}/output --in={root}/input {root}/data")]);
}

/// A script that says what it was told, and leaves a model.
const TRAIN: &str = "echo \"$PWD: $*\"\necho \"$SM_MODEL_DIR|$SM_CHANNEL_TRAIN|$SM_CHANNELS|$SM_HPS|$SM_HP_L2|$SM_MODULE_NAME\"\n\
                     cat \"$SM_CHANNEL_TRAIN/a.csv\"\necho m > \"$SM_MODEL_DIR/m.bin\"\n";

#[tokio::test]
async fn a_training_script_gets_its_arguments_and_variables() {
    let map = Map::new("");
    for (account, is_there) in [(map.account(), true), (map.relocated(), false)] {
        if is_there && !has_opt_ml(&account).await {
            continue;
        }
        put_code(&account, &[("train.sh", TRAIN), ("lib/x.txt", "x")]);
        account.put("train/a.csv", "1,2");
        let mut request = training(
            "job",
            script("train.sh", &[("l2", "1e-5"), ("learning-rate", "0.1"), ("name", "\"a b\""), ("v", "true")]),
        );
        request["InputDataConfig"] = json!([channel("train", "train/")]);
        let job = account.train(request).await;
        let log = printed(&account, Kind::TrainingJob, "job");
        assert_eq!((job.status, job.failure_reason), (Status::Completed, None), "{log:?}");
        let base = match is_there {
            true => "/opt/ml".to_owned(),
            false => {
                account.fake.folder().join("jobs/eu-west-1/training-job/job/1/algo-1/opt/ml").display().to_string()
            }
        };
        let expected = [
            "Invoking script with the following command:".to_owned(),
            "/bin/sh -c ./train.sh --l2 1e-05 --learning-rate 0.1 --name 'a b' -v True".to_owned(),
            format!("{base}/code: --l2 1e-05 --learning-rate 0.1 --name a b -v True"),
            format!(
                "{base}/model|{base}/input/data/train|[\"train\"]|\
                 {{\"l2\":1e-05,\"learning-rate\":0.1,\"name\":\"a b\",\"v\":true}}|1e-05|train.sh"
            ),
            "1,2".to_owned(),
        ];
        assert_eq!(log, expected);
        assert_eq!(account.keys("models"), ["models/job/output/model.tar.gz"]);
    }
}

/// An interpreter that says what it is asked to run. It is no Python, and nobody need have one; of pip it has what a test says.
fn interpreter(map: &Map, pip: &str) {
    let script = format!(
        "#!/bin/sh\nif [ \"$2\" = pip ]; then {pip}; fi\necho \"$*\" \"[$PYTHONPATH]\"\ncase $* in *fail*) echo 'KeyError: 1'; exit 1;; esac\n"
    );
    let path = map.folder.path().join("python");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let text = fs::read_to_string(map.path()).unwrap();
    fs::write(map.path(), text.replace("/sagemaker-scikit-learn:*\"", "/*\"\npython = \"python\"")).unwrap();
}

#[tokio::test]
async fn python_scripts_and_packages() {
    let map = Map::new("");
    interpreter(&map, "exit 0");
    let account = map.relocated();
    let run = async |name: &str, files: &[(&str, &str)]| {
        put_code(&account, files);
        let job = account.train(training(name, script("train.py", &[("l2", "1")]))).await;
        assert_eq!((job.status, job.failure_reason), (Status::Completed, None));
        let root = account.fake.folder().join(format!("jobs/eu-west-1/training-job/{name}/1/algo-1"));
        let log = printed(&account, Kind::TrainingJob, name).join("\n");
        log.replace(&root.display().to_string(), "").lines().last().unwrap().to_owned()
    };
    assert_eq!(run("script", &[("train.py", "")]).await, "-- train.py --l2 1 [/opt/ml/code]");
    let package = [("train.py", ""), ("setup.py", ""), ("requirements.txt", "numpy")];
    assert_eq!(run("package", &package).await, "-m train --l2 1 [/opt/ml/code]");
    let below = [("train.py", ""), ("setup.py", ""), ("src/lib/__init__.py", "")];
    assert_eq!(run("below", &below).await, "-m train --l2 1 [/opt/ml/code:/opt/ml/code/src]");
}

#[tokio::test]
async fn what_is_required_and_not_installed_is_told() {
    let map = Map::new("");
    interpreter(&map, "echo 'ERROR: No matching distribution found for numpy' >&2; exit 1");
    let account = map.account();
    let python = map.folder.path().canonicalize().unwrap().join("python");
    let python = python.display();
    for (name, file, expected) in [
        (
            "script",
            "lib.py",
            format!("InstallRequirementsError:\nExitCode 1\nErrorMessage \"\"\nCommand \"{python} -m pip install "),
        ),
        (
            "package",
            "setup.py",
            format!("InstallModuleError:\nExitCode 1\nErrorMessage \"\"\nCommand \"{python} -m pip install . "),
        ),
    ] {
        put_code(&account, &[("train.py", ""), (file, ""), ("requirements.txt", "numpy")]);
        let job = account.train(training(name, script("train.py", &[]))).await;
        let expected = format!("AlgorithmError: {expected}-r requirements.txt\", exit code: 1");
        assert_eq!(job.failure_reason, Some(expected));
        let log = account.log(Kind::TrainingJob, name).join("\n");
        assert!(log.contains("No matching distribution found for numpy"), "{log}");
        assert!(log.contains(&format!("{python} -m pip install -r requirements.txt does it")), "{log}");
    }
}

/// PyTorch's and TensorFlow's images say why; scikit-learn's leaves that to the log.
#[tokio::test]
async fn some_images_tell_the_error_of_a_script() {
    let map = Map::new("");
    interpreter(&map, "exit 0");
    let account = map.account();
    put_code(&account, &[("fail.py", "")]);
    for (name, image, message) in [
        ("torch", "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.1", "KeyError: 1"),
        ("sklearn", IMAGE, ""),
    ] {
        let mut request = training(name, script("fail.py", &[]));
        request["AlgorithmSpecification"]["TrainingImage"] = json!(image);
        let reason = account.train(request).await.failure_reason.unwrap();
        let begin =
            format!("AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage \"{message}\"\nCommand ");
        assert!(reason.starts_with(&begin), "{reason}");
    }
}

#[tokio::test]
async fn no_variable_is_lost_on_the_way() {
    let map = Map::new("environment = { \"A-B\" = \"1 2\", C = \"$D\" }");
    for account in [map.account(), map.relocated()] {
        account.process(processing("job", &["env"], &[])).await;
        let log = account.log(Kind::ProcessingJob, "job");
        assert!(log.contains(&"A-B=1 2".to_owned()) && log.contains(&"C=$D".to_owned()), "{log:?}");
    }
}

#[tokio::test]
async fn a_script_that_fails_fails_as_in_a_framework_image() {
    let account = Map::new("").account();
    let failure = async |name: &str, program: &str, files: &[(&str, &str)]| {
        put_code(&account, files);
        let job = account.train(training(name, script(program, &[("l2", "1")]))).await;
        assert_eq!(job.status, Status::Failed);
        job.failure_reason.unwrap()
    };
    assert_eq!(
        failure("code", "train.sh", &[("train.sh", "exit 3")]).await,
        "AlgorithmError: ExecuteUserScriptError:\nExitCode 3\nErrorMessage \"\"\nCommand \"/bin/sh -c ./train.sh --l2 1\", exit code: 1"
    );
    assert_eq!(
        failure(
            "own",
            "train.sh",
            &[(
                "train.sh",
                "printf 'no rows' > /opt/ml/output/failure || printf 'no rows' > $SM_OUTPUT_DIR/failure; exit 3"
            )]
        )
        .await,
        "AlgorithmError: no rows, exit code: 1"
    );
    assert_eq!(
        failure("killed", "train.sh", &[("train.sh", "kill -KILL $$")]).await.lines().skip(1).collect::<Vec<_>>(),
        [
            "ExitCode 137",
            "ErrorMessage \"\"",
            "ExtraInfo \"OutOfMemory: Process killed by SIGKILL (signal 9)\"",
            "Command \"/bin/sh -c ./train.sh --l2 1\", exit code: 1"
        ]
    );
    let missing = failure("missing", "other.sh", &[("train.sh", "exit 0")]).await;
    let (begin, end) = missing.split_once("/opt/ml").unwrap();
    assert!(begin.starts_with("AlgorithmError: Framework Error: \n[Errno 2] No such file or directory: '"), "{begin}");
    assert_eq!(end, "/code/other.sh', exit code: 2");
    let named = failure("named", "../train.sh", &[("train.sh", "exit 0")]).await;
    assert!(
        named.starts_with("AlgorithmError: The training entry point '../train.sh' cannot be used because"),
        "{named}"
    );
    let no_code = training(
        "no-code",
        json!({"sagemaker_program": "\"train.sh\"", "sagemaker_submit_directory": "\"s3://sts-bucket/none.tar.gz\""}),
    );
    assert_eq!(
        account.train(no_code).await.failure_reason.as_deref(),
        Some(
            "AlgorithmError: Framework Error: \nAn error occurred (404) when calling the HeadObject operation: Not Found, exit code: 1"
        )
    );
    let nothing = account.train(training("nothing", json!({}))).await.failure_reason.unwrap();
    assert!(nothing.starts_with("AlgorithmError: The training entry point name is empty."), "{nothing}");
}

/// What is stopped has children that do not care: none of them survives.
#[tokio::test]
async fn a_program_that_overruns_its_time_is_stopped_with_its_children() {
    let meeting = Meeting::new(&["never", "alive"]);
    let folder = meeting.folder().display();
    let map = Map::new("time_limit = \"200ms\"");
    let programs = map.programs().grace(Duration::from_millis(10));
    let account = Account::of(Fake::builder().programs(programs).build().unwrap());
    let wait = format!(
        "exec 3> {folder}/alive; trap '' TERM; (read x < {folder}/never) & setsid sh -c 'read x < {folder}/never' & read x < {folder}/never"
    );
    let run = async {
        let job = account.process(processing("job", &["/bin/sh", "-c", &wait], &[])).await;
        // A program that did not get so far has nobody to leave behind, and the pipe is still to be opened.
        drop(fs::File::options().read(true).write(true).open(meeting.folder().join("alive")).unwrap());
        job
    };
    let (job, gone) = tokio::join!(run, meeting.hear("alive"));
    assert_eq!(gone, "", "whoever holds the pipe open is gone");
    let file = map.path();
    assert_eq!(job.status, Status::Failed);
    assert_eq!(
        job.failure_reason,
        Some(format!("ClientError: The program ran for longer than the time_limit of 200ms in {}.", file.display()))
    );
    let log = account.log(Kind::ProcessingJob, "job");
    assert!(
        log.last().unwrap().starts_with("(stopped: this has run for longer than the time_limit of 200ms in "),
        "{log:?}"
    );
}

#[tokio::test]
async fn a_program_that_takes_too_much_memory_is_killed() {
    if !std::path::Path::new("/proc/self/status").exists() {
        eprintln!("nothing to test: this machine has no /proc");
        return;
    }
    let meeting = Meeting::new(&["never"]);
    let account = Map::new("memory_limit = \"20 MB\"").account();
    // A child of the program holds forty megabytes, and waits to be killed.
    let script = format!(
        "(x=$(head -c 40000000 /dev/zero | tr '\\0' x); read y < {0}/never; echo $x) | cat; read x < {0}/never",
        meeting.folder().display()
    );
    for (job, kind) in
        [(account.process(processing("job", &["/bin/sh", "-c", &script], &[])).await, Kind::ProcessingJob), {
            put_code(&account, &[("train.sh", &script)]);
            (account.train(self::training("job", self::script("train.sh", &[]))).await, Kind::TrainingJob)
        }]
    {
        assert_eq!(job.status, Status::Failed);
        assert_eq!(
            job.failure_reason.as_deref(),
            Some(
                "ClientError: Please use an instance type with more memory, or reduce the size of job data processed on an instance."
            )
        );
        let log = account.log(kind, "job");
        let last = log.last().unwrap();
        assert!(
            last.starts_with("(killed: this has taken ") && last.contains("the memory_limit of 20000000 bytes in "),
            "{last}"
        );
    }
}

#[tokio::test]
async fn a_stopped_job_may_say_goodbye_and_leaves_nobody() {
    let meeting = Meeting::new(&["started", "never"]);
    let folder = meeting.folder().display();
    let account = Map::new("").account();
    let child = format!(
        "trap \"echo goodbye; exit 0\" TERM; echo x > {folder}/started; {{ read x < {folder}/never; }} 2>/dev/null"
    );
    account
        .call("CreateProcessingJob", processing("job", &["/bin/sh", "-c", &format!("sh -c '{child}'; true")], &[]))
        .unwrap();
    meeting.hear("started").await;
    account.call("StopProcessingJob", json!({"ProcessingJobName": "job"})).unwrap();
    let job = account.ended(Kind::ProcessingJob, "job").await;
    assert_eq!((job.status, job.failure_reason), (Status::Stopped, None));
    assert_eq!(printed(&account, Kind::ProcessingJob, "job"), ["goodbye"]);
}
