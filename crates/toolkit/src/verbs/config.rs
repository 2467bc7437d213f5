//! `config`: the effective settings, each with its origin. It asks nobody and prints no secret.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value, json};

use super::Context;
use crate::aws::Place;
use crate::error::Failure;
use crate::settings::{Credentials, Settings};

/// Prints the settings.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(context: &Context) -> Result<(), Failure> {
    let settings = &context.settings;
    context.output.print(text(settings), &document(settings, &context.place))
}

fn text(settings: &Settings) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(80);
    for found in &settings.found {
        let value = found.value.clone().unwrap_or_else(|| found.setting.otherwise.to_owned());
        table.add_row([found.setting.variable().to_owned(), value, found.origin.to_string()]);
    }
    for (variable, url) in services(settings) {
        table.add_row([variable.as_str(), url, "environment or .env"]);
    }
    let (value, origin) = credentials(settings);
    table.add_row(["credentials".to_owned(), value.to_owned(), origin]);
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

fn document(settings: &Settings, place: &Place) -> Value {
    let mut values = Map::new();
    for found in &settings.found {
        let entry = json!({"value": found.value, "origin": found.origin, "about": found.setting.about});
        values.insert(found.setting.variable().to_owned(), entry);
    }
    let (value, origin) = credentials(settings);
    let state = match place {
        Place::Aws => Value::Null,
        Place::Offline { state, .. } => json!(state),
    };
    json!({
        "settings": values,
        "credentials": {"value": value, "origin": origin},
        "endpoints": services(settings).map(|(variable, url)| (variable.clone(), json!(url))).collect::<Map<_, _>>(),
        "offline_state": state,
        "warnings": settings.all_warnings().chain(&settings.aws.warnings).collect::<Vec<_>>(),
    })
}

/// Endpoints of single services: the one of all services is in the table.
fn services(settings: &Settings) -> impl Iterator<Item = (&String, &str)> {
    let of_one = settings.aws.endpoints.iter().filter(|(variable, _)| variable != "AWS_ENDPOINT_URL");
    of_one.map(|(variable, url)| (variable, url.as_str()))
}

fn credentials(settings: &Settings) -> (&'static str, String) {
    match &settings.aws.credentials {
        Credentials::Keys { origin, session: true } => ("set, temporary", origin.clone()),
        Credentials::Keys { origin, session: false } => ("set", origin.clone()),
        Credentials::Chain => ("looked for when needed", "the AWS SDK's chain".to_owned()),
    }
}
