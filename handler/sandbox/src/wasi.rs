//! An empty WASI, for planners whose language needs one: no files, no sockets, an empty environment, closed standard input, a
//! constant clock and randomness from a fixed seed. So the same document gives the same storyboard.
//!
//! No call blocks: polling and sleeping return at once, and a loop of them ends by fuel or by the wall-clock limit. Functions
//! that need a file or a socket end the planner when they are called. It is written here because wasmtime's own WASI is a whole
//! system that would have to be closed again.

use wasmtime::component::{Component, Linker, Resource, ResourceType, Val, types};
use wasmtime::{AsContextMut as _, Engine, StoreContextMut};

use super::limits::Meter;

/// The interfaces that are granted, each as an empty world, in any 0.2 version.
const GRANTED: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];
/// The time of the constant clock: 2020-01-01 in UTC, in seconds since 1970. Any fixed day will do; archive formats reject 1970.
const NOW: u64 = 1_577_836_800;
/// Most random bytes in one call; every language's start asks for less than a kilobyte.
const MOST_RANDOM: u64 = 65_536;
/// What a stream says it has room for, and so the most that is written in one go.
const ROOM: u64 = 4_096;

/// Instructions that a call is charged. A call of the host costs about a microsecond, some thousand instructions; charged for
/// nothing, a loop of calls would outlast its fuel a thousandfold.
const FUEL_PER_CALL: u64 = 1_000;

/// Resource numbers of the standard streams; a pollable is 0.
const STDOUT: u32 = 1;
const STDERR: u32 = 2;

/// A call that the empty WASI can't answer.
#[derive(Debug, thiserror::Error)]
#[error("it called `{0}`, which the empty WASI does not provide")]
struct Unanswered(String);

/// Whether an import is part of the empty WASI.
pub(super) fn granted(import: &str) -> bool {
    let Some((interface, version)) = import.split_once('@') else { return false };
    version.starts_with("0.2.") && GRANTED.iter().any(|package| interface.starts_with(package))
}

/// Defines the imports of the empty WASI in a linker. Nothing else is defined, so a component with any other import can't be
/// instantiated.
///
/// # Errors
/// When an import is of a kind that no WASI interface has.
pub(super) fn link(linker: &mut Linker<Meter>, engine: &Engine, component: &Component) -> wasmtime::Result<()> {
    for (import, item) in component.component_type().imports(engine) {
        let types::ComponentItem::ComponentInstance(kind) = item.ty else { continue };
        if !granted(import) {
            continue;
        }
        let interface = import.split_once('@').map_or(import, |(interface, _)| interface).to_owned();
        let mut instance = linker.instance(import)?;
        for (name, item) in kind.exports(engine) {
            match item.ty {
                types::ComponentItem::ComponentFunc(_) => {
                    let path = format!("{interface}#{name}");
                    instance.func_new(name, move |mut store, _, given, results| {
                        let left = store.get_fuel()?;
                        store.set_fuel(left.saturating_sub(FUEL_PER_CALL))?;
                        let answer = answer(&path, store.as_context_mut(), given)?;
                        give_back(&mut store, given)?;
                        match (results.first_mut(), answer) {
                            (Some(place), Some(answer)) => *place = answer,
                            (None, None) => {}
                            _ => return Err(Unanswered(path.clone()).into()),
                        }
                        Ok(())
                    })?;
                }
                types::ComponentItem::Resource(_) => {
                    instance.resource(name, ResourceType::host::<()>(), |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// What a function gives back; none for those that give nothing back.
fn answer(path: &str, mut store: StoreContextMut<'_, Meter>, given: &[Val]) -> wasmtime::Result<Option<Val>> {
    let (interface, function) = path.split_once('#').unwrap_or((path, ""));
    if interface.starts_with("wasi:cli/terminal-") && function.starts_with("get-") {
        return Ok(Some(Val::Option(None)));
    }
    let answer = match path {
        "wasi:cli/environment#get-environment"
        | "wasi:cli/environment#get-arguments"
        | "wasi:filesystem/preopens#get-directories" => Val::List(Vec::new()),
        "wasi:cli/environment#initial-cwd" | "wasi:filesystem/types#filesystem-error-code" => Val::Option(None),
        "wasi:cli/stdin#get-stdin" => resource(store, 0)?,
        "wasi:cli/stdout#get-stdout" => resource(store, STDOUT)?,
        "wasi:cli/stderr#get-stderr" => resource(store, STDERR)?,
        "wasi:clocks/wall-clock#now" => datetime(NOW, 0),
        "wasi:clocks/wall-clock#resolution" => datetime(0, 1_000),
        "wasi:clocks/monotonic-clock#now" => Val::U64(0),
        "wasi:clocks/monotonic-clock#resolution" => Val::U64(1_000),
        "wasi:clocks/monotonic-clock#subscribe-duration"
        | "wasi:clocks/monotonic-clock#subscribe-instant"
        | "wasi:io/streams#[method]input-stream.subscribe"
        | "wasi:io/streams#[method]output-stream.subscribe"
        | "wasi:sockets/instance-network#instance-network" => resource(store, 0)?,
        "wasi:io/poll#[method]pollable.ready" => Val::Bool(true),
        "wasi:io/poll#[method]pollable.block" => return Ok(None),
        "wasi:io/poll#poll" => match given {
            // All of them are ready; a list of 2^32 would not have fitted into the planner's memory.
            [Val::List(waiting)] => Val::List((0..waiting.len()).map(|index| Val::U32(index as u32)).collect()),
            _ => return Err(Unanswered(path.to_owned()).into()),
        },
        "wasi:io/error#[method]error.to-debug-string" => Val::String("there is nothing here".to_owned()),
        "wasi:io/streams#[method]output-stream.check-write" => done(Some(Val::U64(ROOM))),
        "wasi:io/streams#[method]output-stream.write"
        | "wasi:io/streams#[method]output-stream.blocking-write-and-flush" => {
            if let [_, Val::List(bytes)] = given {
                let bytes = bytes.iter().filter_map(|byte| if let Val::U8(byte) = byte { Some(*byte) } else { None });
                store.data_mut().say(bytes);
            }
            done(None)
        }
        "wasi:io/streams#[method]output-stream.flush" | "wasi:io/streams#[method]output-stream.blocking-flush" => {
            done(None)
        }
        "wasi:io/streams#[method]input-stream.read"
        | "wasi:io/streams#[method]input-stream.blocking-read"
        | "wasi:io/streams#[method]input-stream.skip"
        | "wasi:io/streams#[method]input-stream.blocking-skip" => failed(Val::Variant("closed".to_owned(), None)),
        "wasi:random/random#get-random-u64" | "wasi:random/insecure#get-insecure-random-u64" => {
            Val::U64(store.data_mut().random())
        }
        "wasi:random/random#get-random-bytes" | "wasi:random/insecure#get-insecure-random-bytes" => match given {
            [Val::U64(count)] if *count <= MOST_RANDOM => {
                Val::List((0..*count).map(|_| Val::U8(store.data_mut().random() as u8)).collect())
            }
            _ => return Err(Unanswered(path.to_owned()).into()),
        },
        "wasi:random/insecure-seed#insecure-seed" => {
            let meter = store.data_mut();
            Val::Tuple(vec![Val::U64(meter.random()), Val::U64(meter.random())])
        }
        "wasi:sockets/tcp-create-socket#create-tcp-socket" | "wasi:sockets/udp-create-socket#create-udp-socket" => {
            failed(Val::Enum("access-denied".to_owned()))
        }
        _ => return Err(Unanswered(path.to_owned()).into()),
    };
    Ok(Some(answer))
}

/// Lets go of what the planner lent for the call; a call that keeps a loan is an error.
fn give_back(store: &mut StoreContextMut<'_, Meter>, given: &[Val]) -> wasmtime::Result<()> {
    for value in given {
        match value {
            Val::Resource(lent) => lent.resource_drop(store.as_context_mut())?,
            Val::List(values) if matches!(values.first(), Some(Val::Resource(_))) => give_back(store, values)?,
            _ => {}
        }
    }
    Ok(())
}

fn resource(store: StoreContextMut<'_, Meter>, number: u32) -> wasmtime::Result<Val> {
    Ok(Val::Resource(Resource::<()>::new_own(number).try_into_resource_any(store)?))
}

fn datetime(seconds: u64, nanoseconds: u32) -> Val {
    Val::Record(vec![("seconds".to_owned(), Val::U64(seconds)), ("nanoseconds".to_owned(), Val::U32(nanoseconds))])
}

fn done(value: Option<Val>) -> Val {
    Val::Result(Ok(value.map(Box::new)))
}

fn failed(value: Val) -> Val {
    Val::Result(Err(Some(Box::new(value))))
}
