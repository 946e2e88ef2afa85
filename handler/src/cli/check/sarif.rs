//! Findings for machines: SARIF 2.1.0, which code hosts and editors show at the lines.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Checked;
use crate::preview::{Finding, Severity};

/// The log of one run.
pub(super) fn log(all: &[Checked]) -> Value {
    let codes: BTreeSet<&str> = all.iter().flat_map(|one| &one.findings).map(|finding| finding.code.as_str()).collect();
    let rules: Vec<Value> = codes.into_iter().map(|code| json!({"id": code})).collect();
    let results: Vec<Value> =
        all.iter().flat_map(|one| one.findings.iter().map(|finding| result(finding, &one.document))).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "chalkreel", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(finding: &Finding, document: &str) -> Value {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let text = match &finding.remedy {
        Some(remedy) => format!("{}. {remedy}", finding.message),
        None => finding.message.clone(),
    };
    let mut location = json!({"artifactLocation": {"uri": uri(document)}});
    if let (Some(place), Some(fields)) = (finding.place, location.as_object_mut()) {
        fields.insert("region".to_owned(), json!({"startLine": place.line, "startColumn": place.column}));
    }
    json!({
        "ruleId": finding.code,
        "level": level,
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
    })
}

/// What stands in a path as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// A path as a relative or absolute reference.
fn uri(path: &str) -> String {
    utf8_percent_encode(path, KEPT).to_string()
}
