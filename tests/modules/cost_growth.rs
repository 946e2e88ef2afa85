//! What a document costs grows no faster than it does: the sandbox counts instructions, which are the same on every machine.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use handler::deadline::Deadline;
use handler::plan::{Fault, Limits, Sandbox, code_of};
use storyboard::Document;

use crate::growing_documents::{Kind, kinds};

/// Bytes of the smaller document; the larger has four times as many.
const BYTES: usize = 32 << 10;
/// What four times as much may cost: four times, and the logarithms of sorted names. Twice as many for each would be sixteen.
const GROWTH: f64 = 5.0;
/// Units of fuel for each byte, with the everyday profile of the guest: of these kinds no document of a quarter of a megabyte runs out of
/// it. Formulas cost most; chemistry more than this, some fifty million units for a formula of 65 bytes.
const EACH: f64 = 80_000.0;

/// Fuel for a document of about so many bytes, and how it ended.
async fn fuel(kind: &Kind, bytes: usize, sandbox: &Sandbox) -> (usize, f64, String) {
    let document = Document { name: kind.file.to_owned(), bytes: (kind.text)(bytes).into_bytes() };
    let length = document.bytes.len();
    let limits = Limits { wall_clock: Duration::from_secs(60), ..Limits::default() };
    let planned = sandbox.plan(document, &limits, Deadline::after(Duration::from_secs(60))).await;
    let (usage, ending) = match planned {
        Ok(planned) => (Some(planned.usage), "a film".to_owned()),
        Err(error) => {
            let refused = matches!(error.fault, Fault::Refused(_));
            assert!(refused, "{} of {length} bytes: {error}", kind.name);
            (error.usage().cloned(), code_of(&error).name().to_owned())
        }
    };
    (length, usage.unwrap().fuel_used as f64, ending)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cost_of_planning_grows_linearly() {
    let sandbox = Arc::new(Sandbox::new().unwrap());
    let measured = stream::iter(kinds()).map(|kind| {
        let sandbox = Arc::clone(&sandbox);
        tokio::spawn(async move {
            let (_, least, _) = fuel(&kind, 64, &sandbox).await;
            let (_, one, _) = fuel(&kind, BYTES, &sandbox).await;
            let (length, four, ending) = fuel(&kind, 4 * BYTES, &sandbox).await;
            // What stops being read when it is long costs hardly more than its beginning: then there is nothing to take off.
            let mut growth = if one > 2.0 * least { (four - least) / (one - least) } else { four / one };
            if growth > GROWTH {
                // What is read in another way from some length on costs more from there on; but then it must stay in proportion.
                let (_, sixteen, _) = fuel(&kind, 16 * BYTES, &sandbox).await;
                growth = sixteen / four;
            }
            let each = four / length as f64;
            eprintln!("{:<44} {each:>8.0} a byte, {growth:.2} times for four times: {ending}", kind.name);
            (growth > GROWTH || each > EACH).then(|| format!("{}: {each:.0} a byte, {growth:.2} times", kind.name))
        })
    });
    let wrong: Vec<String> = measured.buffered(2).filter_map(|done| async { done.unwrap() }).collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
