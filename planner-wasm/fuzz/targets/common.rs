//! What holds for every document: it is planned or refused, never a panic; twice the same; and what comes out is within the
//! host's limits and passes its check.

use planner_wasm::storyboard::Document;
use planner_wasm::{check, plan};

/// Half of what the host allows, for its JSON is larger than the component's own form.
const MOST: usize = 16 << 20;

/// Plans `bytes` as a document of that name, twice.
pub fn holds(name: &str, bytes: &[u8]) {
    let document = Document { name: name.to_owned(), bytes: bytes.to_vec() };
    let first = plan(&document);
    assert_eq!(first, plan(&document), "the same document, another storyboard");
    match first {
        Ok(storyboard) => {
            check::check(&storyboard).unwrap_or_else(|broken| panic!("the host refuses the storyboard: {broken}"));
            let json = serde_json::to_vec(&storyboard).expect("a storyboard is JSON");
            assert!(json.len() <= MOST.max(bytes.len() * 200), "{} bytes of storyboard", json.len());
            // Written and read it is the same: plans that are kept are plans that are used.
            let read: planner_wasm::storyboard::Storyboard =
                serde_json::from_slice(&json).expect("what was written is read");
            assert_eq!(read, storyboard);
        }
        Err(refusal) => {
            check::refusal(&refusal).unwrap_or_else(|broken| panic!("the host refuses the refusal: {broken}"));
            assert!(!refusal.message.is_empty() && !refusal.remedy.is_empty(), "{refusal:?}");
        }
    }
}
