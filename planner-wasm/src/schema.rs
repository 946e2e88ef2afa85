//! The JSON Schemas in `schema/` are those of the types.

use std::path::PathBuf;

use crate::lecture::Plan;
use crate::storyboard::Storyboard;

/// The words of a field that may also be null.
pub(crate) fn or_null(words: &'static [&'static str]) -> Vec<Option<&'static str>> {
    words.iter().copied().map(Some).chain([None]).collect()
}

/// Holds a committed schema to the type; a new one is left beside it, to be looked at and renamed.
fn holds(name: &str, schema: &schemars::Schema) {
    let fresh = format!("{}\n", serde_json::to_string_pretty(schema).unwrap());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema").join(name);
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if fresh != committed {
        let beside = path.with_extension("json.new");
        std::fs::write(&beside, fresh).unwrap();
        panic!("{} is not that of the types; {} is", path.display(), beside.display());
    }
}

#[test]
fn the_published_schemas_are_those_of_the_types() {
    holds("storyboard.json", &schemars::schema_for!(Storyboard));
    holds("plan.json", &schemars::schema_for!(Plan));
}
