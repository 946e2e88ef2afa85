//! The JSON Schema in `schema/plan.json` is that of the types.

use std::path::PathBuf;

use crate::plan_schema::Plan;

/// A new schema is left beside the committed one, to be looked at and renamed.
#[test]
fn the_published_schema_is_that_of_the_types() {
    let fresh = format!("{}\n", serde_json::to_string_pretty(&schemars::schema_for!(Plan)).unwrap());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema/plan.json");
    if fresh != std::fs::read_to_string(&path).unwrap_or_default() {
        let beside = path.with_extension("json.new");
        std::fs::write(&beside, fresh).unwrap();
        panic!("{} is not that of the types; {} is", path.display(), beside.display());
    }
}
