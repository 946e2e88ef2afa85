//! Planners that mean no good, from their text.

use std::path::Path;

use handler::plan::BUILT_IN_COMPONENT;
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding};

/// A planner written as text: a component as it stands, or a module that is made into one of the planner world.
pub fn hostile(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/planners").join(format!("{name}.wat"));
    let mut bytes = wat::parse_file(path).unwrap();
    if is_component(&bytes) {
        return bytes;
    }
    let DecodedWasm::Component(resolve, world) = wit_component::decode(BUILT_IN_COMPONENT).unwrap() else {
        panic!("the built-in planner is no component");
    };
    wit_component::embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&bytes).unwrap().encode().unwrap()
}

/// The second half of the version says which of the two it is.
fn is_component(bytes: &[u8]) -> bool {
    bytes[6] == 1
}
