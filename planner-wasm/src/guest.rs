//! The WIT world's side of the planner: what a component exports is [`crate::plan`].

use talc::wasm::WasmDynamicTalc;

use crate::memory::Lists;
use crate::storyboard::{Document, Refusal, Storyboard};

#[allow(missing_docs, reason = "generated from the WIT file, which documents it")]
mod world {
    // The handler's build script writes it and says where: what reads WIT is compiled for that anyhow, and takes half a minute.
    include!(env!("PLANNER_WORLD"));
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
