//! What a batch transform job shows its model of a record, and what it keeps of record and inference: `DataProcessing`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::json_path::JsonPath;

/// `DataProcessing` as it is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DataProcessing {
    input_filter: Option<String>,
    output_filter: Option<String>,
    join_source: Option<String>,
}

/// How records and inferences are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
}

/// How inferences are associated with their records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Association {
    format: Option<Format>,
    by_line: bool,
    input: JsonPath,
    joins: bool,
    output: JsonPath,
}

impl Association {
    /// As a job asks for, given its media types and whether it has a record a line, in and out. The error is a sentence:
    /// the rules are SageMaker's, its words are not known.
    pub(super) fn new(
        asked: &DataProcessing,
        content_type: Option<&str>,
        accept: Option<&str>,
        by_line: bool,
        assembles_by_line: bool,
    ) -> Result<Self, String> {
        let path = |name: &str, filter: &Option<String>| {
            let filter = filter.as_deref().filter(|filter| !filter.is_empty()).unwrap_or("$");
            filter.parse::<JsonPath>().map_err(|why| format!("{name} is invalid: {why}."))
        };
        let input = path("InputFilter", &asked.input_filter)?;
        let output = path("OutputFilter", &asked.output_filter)?;
        let joins = asked.join_source.as_deref() == Some("Input");
        let reads = (joins || !input.is_root()).then_some(("ContentType", content_type));
        let writes = (joins || !output.is_root()).then_some(("Accept", accept));
        let mut format = None;
        for (member, media_type) in reads.into_iter().chain(writes) {
            let found = media_type.and_then(Format::of).ok_or_else(|| {
                format!("DataProcessing needs {member} to be text/csv, application/json or application/jsonlines.")
            })?;
            if format.is_some_and(|format| format != found) {
                return Err("DataProcessing needs ContentType and Accept to be of one format.".to_owned());
            }
            format = Some(found);
        }
        if format == Some(Format::Csv) {
            if !by_line || (writes.is_some() && !assembles_by_line) {
                return Err("DataProcessing of text/csv needs SplitType and AssembleWith to be Line.".to_owned());
            }
            if !input.is_of_places() || !output.is_of_places() {
                return Err("DataProcessing of text/csv takes filters by index alone, such as $[1:].".to_owned());
            }
        }
        Ok(Self { format, by_line, input, joins, output })
    }

    /// What the model is shown of a record. The error is a sentence.
    pub(super) fn shown(&self, record: Vec<u8>) -> Result<Vec<u8>, String> {
        match self.format {
            Some(format) if !self.input.is_root() => {
                format.write(&self.input.select(&format.read(&record, "the record")?)?)
            }
            _ => Ok(record),
        }
    }

    /// Whether inferences are kept as the model gives them, and the records are needed no more.
    pub(super) fn keeps_all(&self) -> bool {
        !self.joins && self.output.is_root()
    }

    /// What is kept of an answer to these records: one inference each. The error is a sentence.
    pub(super) fn kept(&self, records: &[Vec<u8>], answer: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        let Some(format) = self.format.filter(|_| !self.keeps_all()) else { return Ok(vec![answer.to_owned()]) };
        let inferences: Vec<&[u8]> = match self.by_line {
            true => {
                answer.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).collect()
            }
            false => vec![answer],
        };
        if inferences.len() != records.len() {
            return Err(format!(
                "The model answered {} records with {} inferences: they cannot be associated.",
                records.len(),
                inferences.len()
            ));
        }
        let keep = |(record, inference): (&Vec<u8>, &[u8])| {
            let inference = format.read(inference, "the inference")?;
            let joined = match self.joins {
                true => format.join(format.read(record, "the record")?, inference),
                false => inference,
            };
            format.write(&self.output.select(&joined)?)
        };
        records.iter().zip(inferences).map(keep).collect()
    }
}

impl Format {
    fn of(media_type: &str) -> Option<Self> {
        match media_type.split(';').next().unwrap_or_default().trim() {
            "text/csv" => Some(Self::Csv),
            "application/json" | "application/jsonlines" => Some(Self::Json),
            _ => None,
        }
    }

    fn read(self, text: &[u8], what: &str) -> Result<Value, String> {
        match self {
            Self::Json => serde_json::from_slice(text).map_err(|error| format!("{what} is not JSON: {error}")),
            Self::Csv => {
                let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
                let row = reader.into_records().next().transpose();
                let row = row.map_err(|error| format!("{what} is not CSV: {error}"))?.unwrap_or_default();
                Ok(row.iter().map(Value::from).collect())
            }
        }
    }

    fn write(self, value: &Value) -> Result<Vec<u8>, String> {
        let fields = match (self, value) {
            (Self::Json, value) => return Ok(value.to_string().into_bytes()),
            (Self::Csv, Value::Array(fields)) => fields.as_slice(),
            (Self::Csv, field) => std::slice::from_ref(field),
        };
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        writer.write_record(fields.iter().filter_map(Value::as_str)).map_err(|error| error.to_string())?;
        let mut row = writer.into_inner().map_err(|error| error.to_string())?;
        row.pop();
        Ok(row)
    }

    /// A row goes on with the inference; an object has it as `SageMakerOutput`, what is none becomes one.
    fn join(self, record: Value, inference: Value) -> Value {
        match (record, inference) {
            (Value::Array(mut row), Value::Array(more)) if self == Self::Csv => {
                row.extend(more);
                Value::Array(row)
            }
            (Value::Object(mut members), inference) => {
                members.insert("SageMakerOutput".to_owned(), inference);
                Value::Object(members)
            }
            (record, inference) => json!({"SageMakerInput": record, "SageMakerOutput": inference}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn association(asked: Value, media_type: &str) -> Result<Association, String> {
        Association::new(&serde_json::from_value(asked).unwrap(), Some(media_type), Some(media_type), true, true)
    }

    #[test]
    fn records_are_shown_and_kept() {
        fn check(asked: Value, media_type: &str, record: &str, shown: &str, answer: &str, kept: &str) {
            let association = association(asked.clone(), media_type).unwrap();
            let found = association.shown(record.into()).unwrap();
            assert_eq!(String::from_utf8(found).unwrap(), shown, "{asked}");
            let found = association.kept(&[record.into()], answer.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(found.concat()).unwrap(), kept, "{asked}");
        }
        let join = json!({"JoinSource": "Input"});
        check(join.clone(), "text/csv", "1,2,3", "1,2,3", "1\n", "1,2,3,1");
        check(
            join.clone(),
            "application/json",
            r#"{"key":1}"#,
            r#"{"key":1}"#,
            r#"{"label":1}"#,
            r#"{"key":1,"SageMakerOutput":{"label":1}}"#,
        );
        check(join, "application/jsonlines", "[1]", "[1]", "2", r#"{"SageMakerInput":[1],"SageMakerOutput":2}"#);
        check(
            json!({"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}),
            "text/csv; charset=utf-8",
            "\"a, b\",1,2",
            "1,2",
            "0.5",
            "\"a, b\",0.5",
        );
        check(
            json!({"InputFilter": "$.features", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}),
            "application/jsonlines",
            r#"{"id":7,"features":[1,2]}"#,
            "[1,2]",
            "3",
            r#"{"id":7,"SageMakerOutput":3}"#,
        );
        check(json!({"OutputFilter": "$[1]"}), "text/csv", "1", "1", "0,0.25", "0.25");
        check(json!({"InputFilter": "$", "JoinSource": "None"}), "image/png", "x", "x", "any\nthing", "any\nthing");
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        fn check(asked: Value, media_type: &str, said: &str) {
            let refused = association(asked, media_type).unwrap_err();
            assert!(refused.contains(said), "{refused}");
        }
        check(json!({"JoinSource": "Input"}), "image/png", "needs ContentType to be text/csv");
        check(json!({"InputFilter": "$.a"}), "text/csv", "by index alone");
        check(json!({"OutputFilter": "a"}), "text/csv", "OutputFilter is invalid: 'a' is not a JSONPath");
        let asked = DataProcessing { join_source: Some("Input".to_owned()), ..DataProcessing::default() };
        let mixed = Association::new(&asked, Some("text/csv"), Some("application/json"), true, true).unwrap_err();
        assert!(mixed.contains("of one format"), "{mixed}");
        let whole = Association::new(&asked, Some("text/csv"), Some("text/csv"), false, true).unwrap_err();
        assert!(whole.contains("to be Line"), "{whole}");
    }

    #[test]
    fn as_many_inferences_as_records() {
        let association = association(json!({"JoinSource": "Input"}), "text/csv").unwrap();
        let refused = association.kept(&[b"1".to_vec(), b"2".to_vec()], b"0.5\n").unwrap_err();
        assert!(refused.contains("2 records with 1 inferences"), "{refused}");
    }
}
