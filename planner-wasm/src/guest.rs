//! The WIT world's side of the planner: what a component exports is [`crate::plan`].

use talc::wasm::WasmDynamicTalc;

use crate::memory::Lists;
use crate::storyboard::{Document, Refusal, Storyboard};

#[allow(missing_docs, reason = "generated from the WIT file, which documents it")]
mod world {
    wit_bindgen::generate!({
        path: "wit",
        world: "planner",
        with: { "chalkreel:planner/storyboard@0.1.0": crate::storyboard },
    });
}

/// Where all strings and lists come from.
#[global_allocator]
static MEMORY: Lists<WasmDynamicTalc> = Lists::new(talc::wasm::new_wasm_dynamic_allocator());

struct Planner;

impl world::Guest for Planner {
    fn plan(document: Document) -> Result<Storyboard, Refusal> {
        crate::plan(&document)
    }
}

world::export!(Planner with_types_in world);
