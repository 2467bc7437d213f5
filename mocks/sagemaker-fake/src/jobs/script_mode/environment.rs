//! What a script is told: the variables that `sagemaker-training` 5.1 sets, from the job's configuration files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use serde_json::{Map, Value, json};

use super::python::{argument, loads, variable};
use crate::jobs::tree::Tree;

/// Hyperparameters that are for the toolkit itself.
const OF_TOOLKIT: [&str; 9] = [
    "sagemaker_program",
    "sagemaker_submit_directory",
    "sagemaker_enable_cloudwatch_metrics",
    "sagemaker_region",
    "sagemaker_container_log_level",
    "sagemaker_job_name",
    "default_user_module_name",
    "_tuning_objective_metric",
    "sagemaker_s3_output",
];

/// Hyperparameters that ask for training on several instances at once.
const DISTRIBUTED: [&str; 7] = [
    "sagemaker_mpi_enabled",
    "sagemaker_parameter_server_enabled",
    "sagemaker_distributed_dataparallel_enabled",
    "sagemaker_pytorch_ddp_enabled",
    "sagemaker_pytorch_xla_multi_worker_enabled",
    "sagemaker_multi_worker_mirrored_strategy_enabled",
    "sagemaker_torch_distributed_enabled",
];

/// The configuration of one instance of a training job.
#[derive(Debug)]
pub(super) struct Configuration {
    /// The script, relative to the folder of the code.
    pub program: Option<String>,
    /// Where the code is.
    pub submit_directory: Option<String>,
    /// Those of the user.
    hyperparameters: BTreeMap<String, Value>,
    /// Those of the toolkit.
    of_toolkit: BTreeMap<String, Value>,
    resources: Value,
    channels: Value,
}

impl Configuration {
    /// Reads the files of an instance. SAGEMAKER_PROGRAM of the environment comes before the hyperparameter.
    pub(super) fn read(tree: &Tree, environment: &BTreeMap<String, String>) -> io::Result<Self> {
        let file = |name: &str| -> io::Result<Value> {
            Ok(serde_json::from_reader(File::open(tree.at(&format!("input/config/{name}.json")))?)?)
        };
        let given = file("hyperparameters")?;
        let given = given.as_object().into_iter().flatten();
        let read = given.map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.clone(), loads)));
        let (of_toolkit, hyperparameters): (BTreeMap<_, _>, BTreeMap<_, _>) =
            read.partition(|(name, _)| name.starts_with("sagemaker_") || OF_TOOLKIT.contains(&name.as_str()));
        let named = |name: &str| of_toolkit.get(name).filter(|value| !value.is_null()).map(argument);
        Ok(Self {
            program: environment.get("SAGEMAKER_PROGRAM").cloned().or_else(|| named("sagemaker_program")),
            submit_directory: named("sagemaker_submit_directory"),
            hyperparameters,
            of_toolkit,
            resources: file("resourceconfig")?,
            channels: file("inputdataconfig")?,
        })
    }

    /// The hyperparameters as arguments: `--name value`, in order; one letter has one dash.
    pub(super) fn arguments(&self) -> Vec<String> {
        let pair = |(name, value): (&String, &Value)| {
            let dashes = if name.chars().count() > 1 { "--" } else { "-" };
            [if name.is_empty() { String::new() } else { format!("{dashes}{name}") }, argument(value)]
        };
        self.hyperparameters.iter().flat_map(pair).collect()
    }

    /// Whether training on several instances, or in several processes, is asked for.
    pub(super) fn is_distributed(&self) -> bool {
        DISTRIBUTED.iter().any(|name| self.of_toolkit.get(*name) == Some(&json!(true)))
    }

    /// What the toolkit adds to the environment, where `base` is `/opt/ml`.
    pub(super) fn variables(&self, base: &str, environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let text = |name: &str| environment.get(name).cloned();
        let mut all: BTreeMap<String, String> = BTreeMap::from([
            ("CURRENT_HOST".to_owned(), argument(&self.resources["current_host"])),
            (
                "SAGEMAKER_JOB_NAME".to_owned(),
                self.of_toolkit.get("sagemaker_job_name").map(argument).unwrap_or_default(),
            ),
            (
                "SAGEMAKER_REGION".to_owned(),
                self.of_toolkit
                    .get("sagemaker_region")
                    .map(argument)
                    .or_else(|| text("AWS_REGION"))
                    .unwrap_or_default(),
            ),
            (
                "PYTHONPATH".to_owned(),
                text("PYTHONPATH").map_or_else(|| format!("{base}/code"), |path| format!("{base}/code:{path}")),
            ),
        ]);
        let whole = self.training_environment(base, environment);
        // Its members that have a variable of their own.
        for name in [
            "hosts",
            "network_interface_name",
            "user_entry_point",
            "resource_config",
            "input_data_config",
            "output_data_dir",
            "current_host",
            "current_instance_type",
            "current_instance_group",
            "current_instance_group_hosts",
            "instance_groups",
            "instance_groups_dict",
            "distribution_instance_groups",
            "is_hetero",
            "module_name",
            "log_level",
            "framework_module",
            "input_dir",
            "input_config_dir",
            "output_dir",
            "num_cpus",
            "num_gpus",
            "num_neurons",
            "model_dir",
            "module_dir",
            "output_intermediate_dir",
        ] {
            all.insert(format!("SM_{}", name.to_uppercase()), variable(&whole[name]));
        }
        let mut named: Vec<&String> = self.channels.as_object().into_iter().flat_map(Map::keys).collect();
        named.sort();
        all.insert("SM_CHANNELS".to_owned(), variable(&json!(named)));
        all.insert("SM_HPS".to_owned(), variable(&json!(self.hyperparameters)));
        all.insert("SM_FRAMEWORK_PARAMS".to_owned(), variable(&whole["additional_framework_parameters"]));
        all.insert("SM_USER_ARGS".to_owned(), variable(&json!(self.arguments())));
        for name in named {
            all.insert(format!("SM_CHANNEL_{}", name.to_uppercase()), format!("{base}/input/data/{name}"));
        }
        for (name, value) in &self.hyperparameters {
            all.insert(format!("SM_HP_{}", name.to_uppercase()), variable(value));
        }
        all.insert("SM_TRAINING_ENV".to_owned(), variable(&whole));
        all
    }

    /// `SM_TRAINING_ENV`: everything at once.
    fn training_environment(&self, base: &str, environment: &BTreeMap<String, String>) -> Value {
        let resources = &self.resources;
        let groups = resources["instance_groups"].as_array().map_or(&[][..], Vec::as_slice);
        let own_group = &resources["current_group_name"];
        let names: Vec<_> = groups.iter().map(|group| &group["instance_group_name"]).collect();
        let by_name: Map<_, _> =
            groups.iter().map(|group| (argument(&group["instance_group_name"]), group.clone())).collect();
        let own_hosts = groups.iter().find(|group| group["instance_group_name"] == *own_group);
        let own_hosts = own_hosts.map_or_else(|| json!([]), |group| group["hosts"].clone());
        let further: BTreeMap<_, _> =
            self.of_toolkit.iter().filter(|(name, _)| !OF_TOOLKIT.contains(&name.as_str())).collect();
        let distribution = self.of_toolkit.get("sagemaker_distribution_instance_groups").cloned();
        let distribution =
            distribution.unwrap_or_else(|| if self.is_distributed() { json!([own_group]) } else { json!([]) });
        let is_in = |group: &&Value| {
            distribution.as_array().is_some_and(|groups| groups.contains(&group["instance_group_name"]))
        };
        let distribution_hosts: Vec<_> =
            groups.iter().filter(is_in).flat_map(|group| group["hosts"].as_array()).flatten().collect();
        let master = distribution_hosts.first().copied().unwrap_or(&resources["hosts"][0]).clone();
        let channels = self.channels.as_object().into_iter().flat_map(Map::keys);
        let channel_dirs: Map<_, _> =
            channels.map(|name| (name.clone(), json!(format!("{base}/input/data/{name}")))).collect();
        let program = self.program.as_deref();
        json!({
            "additional_framework_parameters": further,
            "channel_input_dirs": channel_dirs,
            "current_host": resources["current_host"],
            "current_instance_group": own_group,
            "current_instance_group_hosts": own_hosts,
            "current_instance_type": resources["current_instance_type"],
            "distribution_hosts": distribution_hosts,
            "distribution_instance_groups": distribution,
            "framework_module": environment.get("SAGEMAKER_TRAINING_MODULE"),
            "hosts": resources["hosts"],
            "hyperparameters": self.hyperparameters,
            "input_config_dir": format!("{base}/input/config"),
            "input_data_config": self.channels,
            "input_dir": format!("{base}/input"),
            "instance_groups": names,
            "instance_groups_dict": by_name,
            "is_hetero": names.len() > 1,
            "is_master": resources["current_host"] == master,
            "is_modelparallel_enabled": null,
            "is_smddpmprun_installed": false,
            "is_smddprun_installed": false,
            "job_name": environment.get("TRAINING_JOB_NAME"),
            "log_level": self.of_toolkit.get("sagemaker_container_log_level").cloned().unwrap_or(json!(20)),
            "master_hostname": master,
            "model_dir": format!("{base}/model"),
            "module_dir": self.submit_directory.clone().unwrap_or_else(|| format!("{base}/code")),
            "module_name": program.map(|program| program.strip_suffix(".py").unwrap_or(program)),
            "network_interface_name": resources["network_interface_name"],
            "num_cpus": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            // A step has no more than the processor here.
            "num_gpus": 0,
            "num_neurons": 0,
            "output_data_dir": format!("{base}/output/data"),
            "output_dir": format!("{base}/output"),
            "output_intermediate_dir": format!("{base}/output/intermediate"),
            "resource_config": resources,
            "topology": [],
            "user_entry_point": program,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(folder: &std::path::Path, hyperparameters: &Value, resources: &Value, channels: &Value) -> Tree {
        let tree = Tree::new(folder).unwrap();
        tree.write("input/config/hyperparameters.json", hyperparameters).unwrap();
        tree.write("input/config/resourceconfig.json", resources).unwrap();
        tree.write("input/config/inputdataconfig.json", channels).unwrap();
        tree
    }

    #[test]
    fn variables_are_those_of_the_toolkit() {
        let cpus = std::thread::available_parallelism().unwrap().to_string();
        let text = include_str!("toolkit.env").replace("{cpus}", &cpus);
        let lines = text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_once('=').unwrap());
        let expected: BTreeMap<_, _> = lines.collect();
        let json = |name: &str| serde_json::from_str::<Value>(expected[name]).unwrap();
        let hyperparameters = json!({
            "sagemaker_submit_directory": "\"s3://bucket/code/dump.tar.gz\"",
            "sagemaker_program": "\"dump.py\"",
            "sagemaker_region": "\"eu-west-1\"",
            "sagemaker_job_name": "\"job-1\"",
            "sagemaker_container_log_level": "20",
            "sagemaker_parameter_server_enabled": "true",
            "learning-rate": "1e-5",
            "name": "\"it's é\"",
            "layers": "[64, 2.50, \"a\"]",
            "v": "true",
            "empty": "null",
        });
        let folder = tempfile::tempdir().unwrap();
        let tree = tree(folder.path(), &hyperparameters, &json("SM_RESOURCE_CONFIG"), &json("SM_INPUT_DATA_CONFIG"));
        let environment = BTreeMap::from([("TRAINING_JOB_NAME".to_owned(), "job-1".to_owned())]);
        let configuration = Configuration::read(&tree, &environment).unwrap();
        let mut variables = configuration.variables("/opt/ml", &environment);
        // The toolkit adds what Python has in its path of its own.
        assert_eq!(variables.remove("PYTHONPATH").as_deref(), Some("/opt/ml/code"));
        for (name, value) in &expected {
            assert_eq!(variables.get(*name).map(String::as_str), Some(*value), "{name}");
        }
        assert_eq!(variables.len(), expected.len(), "{:?}", variables.keys());
    }

    /// The expected arguments are those that sagemaker-training 5.1.4 made of the same hyperparameters.
    #[test]
    fn arguments_are_those_of_the_toolkit() {
        fn check(hyperparameters: &[(&str, &str)], expected: &[&str]) {
            let hyperparameters: Map<_, _> =
                hyperparameters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            let folder = tempfile::tempdir().unwrap();
            let tree = tree(folder.path(), &json!(hyperparameters), &json!({}), &json!({}));
            let configuration = Configuration::read(&tree, &BTreeMap::new()).unwrap();
            assert_eq!(configuration.arguments(), expected, "{hyperparameters:?}");
        }
        check(
            &[("b", "1.0"), ("a", "1"), ("exp", "1E5"), ("lead", "007"), ("sp", " 1 "), ("plus", "+1"), ("z", "-0.0")],
            &["-a", "1", "-b", "1.0", "--exp", "100000.0", "--lead", "007", "--plus", "+1", "--sp", "1", "-z", "-0.0"],
        );
        check(
            &[("T", "True"), ("f", "false"), ("n", "null"), ("t", "true")],
            &["-T", "True", "-f", "False", "-n", "", "-t", "True"],
        );
        check(
            &[("q", "\"it's\""), ("space", "a b"), ("dollar", "$HOME `ls` \\"), ("tab", "\"a\\tb\""), ("e", "\"\"")],
            &["--dollar", "$HOME `ls` \\", "-e", "", "-q", "it's", "--space", "a b", "--tab", "a\tb"],
        );
        check(
            &[
                ("d", "{\"b\": 1, \"a\": [\"x\", {\"k\": 1.50}], \"n\": null, \"s\": \"q's\"}"),
                ("e", "[]"),
                ("ee", "{}"),
            ],
            &["-d", "a=['x', {'k': 1.5}],b=1,n=None,s=q's", "-e", "[]", "--ee", ""],
        );
        check(
            &[("learning-rate", "1"), ("with.dot", "2"), ("1st", "3"), ("Zed", "4"), ("ключ", "5")],
            &["--1st", "3", "--Zed", "4", "--learning-rate", "1", "--with.dot", "2", "--ключ", "5"],
        );
        check(&[("sagemaker_custom", "1"), ("_tuning_objective_metric", "2"), ("_other", "3")], &["--_other", "3"]);
    }
}
