//! The store, through the real SDK over HTTP: against the embedded server, and against servers that misbehave.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, MetadataDirective, ObjectIdentifier};
use futures::TryStreamExt as _;
use handler::deadline::Deadline;
use handler::store::{Cache, CacheKey, Condition, ETag, Embedded, Endpoint, Store, StoreError};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const BUCKET: &str = "lessons";

/// An embedded server on a folder of its own, and a client of it.
struct Rig {
    dir: TempDir,
    server: Embedded,
    store: Store,
}

async fn rig() -> Rig {
    let dir = tempfile::tempdir().unwrap();
    let server = Embedded::start(dir.path()).await.unwrap();
    server.create_bucket(BUCKET).unwrap();
    let store = Store::connect(&server.endpoint(), BUCKET).await;
    Rig { dir, server, store }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(30))
}

/// The SDK itself, without retries.
fn sdk(endpoint: &Endpoint) -> Client {
    let (access, secret) = endpoint.credentials.clone().unwrap();
    let config = aws_sdk_s3::config::Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(access, secret, None, None, "test"))
        .endpoint_url(endpoint.url.clone().unwrap())
        .retry_config(RetryConfig::disabled())
        .force_path_style(true);
    Client::from_conf(config.build())
}

fn http_status<T, E>(reply: Result<T, SdkError<E, HttpResponse>>) -> u16 {
    match reply {
        Ok(_) => 200,
        Err(error) => error.raw_response().map_or(0, |reply| reply.status().as_u16()),
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, StoreError>) -> &'static str {
    result.unwrap_err().code()
}

fn text(bytes: &'static [u8]) -> ByteStream {
    ByteStream::from_static(bytes)
}

/// The files of the server's bucket and the half-written ones.
fn files(dir: &Path, folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_go_in_and_come_out_whole() {
    let Rig { dir, server, store } = rig().await;
    let etag = store.put("a/film.mp4", &b"0123456789"[..], "video/mp4", soon()).await.unwrap();
    let object = store.get("a/film.mp4", 10, soon()).await.unwrap();
    assert_eq!(&object.bytes[..], b"0123456789");
    assert_eq!((object.etag, object.content_type.as_deref()), (etag.clone(), Some("video/mp4")));
    assert_eq!(etag.as_str(), "\"781e5e245d69b566979b86e28d23f2c7\""); // MD5, as on S3
    let head = store.head("a/film.mp4", soon()).await.unwrap();
    assert_eq!((head.size, head.etag), (10, etag));

    let path = dir.path().join("copy.mp4");
    store.get_to_file("a/film.mp4", &path, soon()).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"0123456789");
    let large: Vec<u8> = (0..5_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(&path, &large).unwrap();
    store.put_file("large", &path, "application/octet-stream", soon()).await.unwrap();
    assert!(store.get("large", u64::MAX, soon()).await.unwrap().bytes == large);

    store.put("empty", Vec::new(), "text/plain", soon()).await.unwrap();
    assert!(store.get("empty", 0, soon()).await.unwrap().bytes.is_empty());

    assert!(store.exists("large", soon()).await.unwrap());
    store.delete("large", soon()).await.unwrap();
    store.delete("large", soon()).await.unwrap();
    assert!(!store.exists("large", soon()).await.unwrap());
    assert_eq!(code(store.get("large", 1, soon()).await), "store.not_found");
    assert_eq!(code(store.head("large", soon()).await), "store.not_found");
    assert_eq!(code(store.get_to_file("large", &dir.path().join("none"), soon()).await), "store.not_found");
    assert!(!dir.path().join("none").exists());
    assert_eq!(code(store.with_bucket("no-such-bucket").get("k", 1, soon()).await), "store.no_bucket");
    store.with_bucket("another").create_bucket(soon()).await.unwrap();
    store.with_bucket("another").create_bucket(soon()).await.unwrap();
    assert_eq!(code(store.with_bucket("No_Name").create_bucket(soon()).await), "store.refused");
    assert_eq!(store.with_bucket("another").list("", 10, soon()).await.unwrap(), []);
    server.shutdown(soon()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn larger_than_allowed_is_refused() {
    let rig = rig().await;
    rig.store.put("k", vec![7; 1000], "text/plain", soon()).await.unwrap();
    let refused = rig.store.get("k", 999, soon()).await.unwrap_err();
    assert!(matches!(refused, StoreError::TooLarge { size: 1000, limit: 999, .. }), "{refused:?}");
    assert_eq!((refused.code(), refused.retryable()), ("store.too_large", false));
    assert!(rig.store.get("k", 1000, soon()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_support_prefixes_delimiters_and_pages() {
    let rig = rig().await;
    listings(&rig.store, &sdk(&rig.server.endpoint())).await;
    // Where an object and others "below" it have a listing in common, and its first key is the prefix itself.
    rig.store.put("l/", "", "text/plain", soon()).await.unwrap();
    assert_eq!(rig.store.list("l/", 1, soon()).await.unwrap()[0].key, "l/");
}

async fn listings(store: &Store, client: &Client) {
    let keys = ["l", "l-", "l/0", "l/1", "l/2", "l/sub/x", "l/sub/y", "l/z", "l0", "l/ü", "l/日"];
    for key in keys {
        store.put(key, key.as_bytes(), "text/plain", soon()).await.unwrap();
    }
    let mut sorted: Vec<&str> = keys.iter().copied().filter(|key| key.starts_with("l/")).collect();
    sorted.sort_unstable();
    let listed = store.list("l/", 100, soon()).await.unwrap();
    assert_eq!(listed.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), sorted);
    assert!(listed.iter().all(|entry| entry.size == entry.key.len() as u64 && entry.etag.is_some()));
    assert_eq!(store.list("l/", 3, soon()).await.unwrap().len(), 3);

    for page in 1..=4 {
        let (mut names, mut token) = (Vec::new(), None);
        loop {
            let call = client.list_objects_v2().bucket(BUCKET).prefix("l/").delimiter("/").max_keys(page);
            let reply = call.set_continuation_token(token).send().await.unwrap();
            assert!(reply.contents().len() + reply.common_prefixes().len() <= page as usize);
            names.extend(reply.contents().iter().map(|object| object.key().unwrap().to_owned()));
            names.extend(reply.common_prefixes().iter().map(|group| group.prefix().unwrap().to_owned()));
            token = reply.next_continuation_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        names.sort_unstable();
        assert_eq!(names, ["l/0", "l/1", "l/2", "l/sub/", "l/z", "l/ü", "l/日"], "pages of {page}");
    }
    let after = client.list_objects_v2().bucket(BUCKET).prefix("l/").start_after("l/sub/x").send().await.unwrap();
    assert_eq!(after.contents()[0].key(), Some("l/sub/y"));
    for key in keys {
        store.delete(key, soon()).await.unwrap();
    }
    assert!(store.list("l", 10, soon()).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_supports_ranges_conditions_copies_and_batches() {
    let rig = rig().await;
    ranges_and_copies(&rig.store, &sdk(&rig.server.endpoint())).await;
    let client = sdk(&rig.server.endpoint());
    rig.store.put("k", "1", "text/plain", soon()).await.unwrap();
    let delete = client.delete_object().bucket(BUCKET).key("k");
    assert_eq!(http_status(delete.if_match("\"other\"").send().await), 412);
}

/// Parts of an object, reads on a condition, copies with and without what belongs to them, and many deleted at once.
async fn ranges_and_copies(store: &Store, client: &Client) {
    let put = client.put_object().bucket(BUCKET).key("k").metadata("note", "n").body(text(b"hello world 0123456789"));
    let etag = put.content_type("text/plain").send().await.unwrap().e_tag.unwrap();
    let get = || client.get_object().bucket(BUCKET).key("k");
    for (range, body, content_range) in [
        ("bytes=6-10", &b"world"[..], "bytes 6-10/22"),
        ("bytes=-4", b"6789", "bytes 18-21/22"),
        ("bytes=20-99", b"89", "bytes 20-21/22"),
    ] {
        let reply = get().range(range).send().await.unwrap();
        assert_eq!(reply.content_range(), Some(content_range));
        assert_eq!(reply.body.collect().await.unwrap().into_bytes(), body);
    }
    assert_eq!(http_status(get().range("bytes=22-").send().await), 416);
    assert_eq!(http_status(get().if_none_match(&etag).send().await), 304);
    assert_eq!(http_status(get().if_match("\"other\"").send().await), 412);

    let source = format!("{BUCKET}/k");
    client.copy_object().bucket(BUCKET).key("copy").copy_source(&source).send().await.unwrap();
    let copy = store.get("copy", 22, soon()).await.unwrap();
    assert_eq!((&copy.bytes[..], copy.etag.as_str()), (&b"hello world 0123456789"[..], etag.as_str()));
    assert_eq!(copy.metadata["note"], "n");
    let replace = client.copy_object().bucket(BUCKET).key("k").copy_source(&source).content_type("text/html");
    replace.metadata_directive(MetadataDirective::Replace).send().await.unwrap();
    let object = store.get("k", 22, soon()).await.unwrap();
    assert_eq!((object.content_type.as_deref(), object.metadata.len()), (Some("text/html"), 0));
    let part = store.part("k", Some("bytes=6-10"), soon()).await.unwrap();
    assert_eq!((part.size, part.range.as_deref()), (5, Some("bytes 6-10/22")));
    let pieces: Vec<_> = part.pieces().try_collect().await.unwrap();
    assert_eq!(pieces.concat(), b"world");
    let beyond = store.part("k", Some("bytes=22-"), soon()).await.unwrap_err();
    assert!(matches!(beyond, StoreError::Refused { status: 416, .. }), "{beyond:?}");

    let named = |key| ObjectIdentifier::builder().key(key).build().unwrap();
    let batch = Delete::builder().objects(named("k")).objects(named("copy")).objects(named("none")).build().unwrap();
    let reply = client.delete_objects().bucket(BUCKET).delete(batch).send().await.unwrap();
    assert_eq!((reply.deleted().len(), reply.errors().len()), (3, 0));
    assert!(store.list("", 10, soon()).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn multipart_uploads() {
    let rig = rig().await;
    let client = sdk(&rig.server.endpoint());
    let begin = || async {
        let call = client.create_multipart_upload().bucket(BUCKET).key("mp").content_type("video/mp4");
        call.send().await.unwrap().upload_id.unwrap()
    };
    let part = |id: &str, number, body: Vec<u8>| {
        client.upload_part().bucket(BUCKET).key("mp").upload_id(id).part_number(number).body(body.into()).send()
    };
    let named = |number, etag: &str| CompletedPart::builder().part_number(number).e_tag(etag).build();
    let complete = |id: &str, parts: Vec<CompletedPart>| {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        client.complete_multipart_upload().bucket(BUCKET).key("mp").upload_id(id).multipart_upload(parts)
    };

    let id = begin().await;
    let tail = part(&id, 7, b"tail".to_vec()).await.unwrap().e_tag.unwrap();
    let body = part(&id, 2, vec![7; 5 << 20]).await.unwrap().e_tag.unwrap();
    let listed = client.list_parts().bucket(BUCKET).key("mp").upload_id(&id).send().await.unwrap();
    assert_eq!(listed.parts().iter().map(|part| part.part_number().unwrap()).collect::<Vec<_>>(), [2, 7]);
    let wrong = complete(&id, vec![named(2, "\"other\""), named(7, &tail)]).send().await;
    assert_eq!(http_status(wrong), 400);
    assert_eq!(http_status(complete(&id, vec![named(7, &tail), named(2, &body)]).send().await), 400);
    let parts = vec![named(2, &body), named(7, &tail)];
    let etag = complete(&id, parts.clone()).if_none_match("*").send().await.unwrap().e_tag.unwrap();
    assert!(etag.ends_with("-2\""), "{etag}");
    let object = rig.store.get("mp", u64::MAX, soon()).await.unwrap();
    assert_eq!((object.bytes.len(), &object.bytes[5 << 20..]), ((5 << 20) + 4, &b"tail"[..]));
    assert_eq!((object.etag.as_str(), object.content_type.as_deref()), (etag.as_str(), Some("video/mp4")));
    assert_eq!(http_status(complete(&id, parts).send().await), 404);

    let id = begin().await;
    let tail = part(&id, 1, b"z".to_vec()).await.unwrap().e_tag.unwrap();
    assert_eq!(http_status(complete(&id, vec![named(1, &tail)]).if_none_match("*").send().await), 412);
    client.abort_multipart_upload().bucket(BUCKET).key("mp").upload_id(&id).send().await.unwrap();
    assert_eq!(http_status(part(&id, 2, b"z".to_vec()).await), 404);
    assert_eq!(http_status(part("../../buckets/lessons", 2, b"z".to_vec()).await), 404);
    let open = client.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
    assert!(open.uploads().is_empty());
    assert!(files(rig.dir.path(), "uploads").is_empty() && files(rig.dir.path(), "tmp").is_empty());
}

/// Keys as users and this service write them, with all that must be encoded on the way.
const ODD: &[&str] = &[
    "a/b/c",
    "a b+c&d=e?f#g",
    "a%2Fb",
    "%2e%2e%2f",
    "~",
    "A",
    "日本語/ü .txt",
    "quote'\"`",
    "-",
    "_",
    "CON",
    "incoming/http/0123/draft/Übung 1+2.md",
    "films/by-time/0123=4",
];

/// Each is an object of its own. Gives them as they are listed.
async fn odd_keys(store: &Store, keys: &[&str]) -> Vec<String> {
    for key in keys {
        let put = store.put(key, (*key).to_owned(), "text/plain", soon()).await;
        put.unwrap_or_else(|error| panic!("{key:?}: {error}"));
    }
    for key in keys {
        let object = store.get(key, 2048, soon()).await;
        assert_eq!(object.unwrap_or_else(|error| panic!("{key:?}: {error}")).bytes, key.as_bytes());
    }
    let listed: Vec<String> = store.list("", 1000, soon()).await.unwrap().into_iter().map(|entry| entry.key).collect();
    for key in keys {
        store.delete(key, soon()).await.unwrap();
        assert!(!store.exists(key, soon()).await.unwrap(), "{key:?}");
    }
    assert!(store.list("", 1000, soon()).await.unwrap().is_empty());
    listed
}

fn sorted(keys: &[impl AsRef<str>]) -> Vec<String> {
    let mut keys: Vec<String> = keys.iter().map(|key| key.as_ref().to_owned()).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn any_key_is_its_own_object() {
    let rig = rig().await;
    let long = format!("films/{}/status.json", "ü".repeat(400));
    let longer = "x".repeat(1024);
    // Those too that look like paths, which a server on a file system of names can't keep apart.
    let paths = ["../escape", "..", ".", "a/../b", "a/b", "a", "a/", "a//b", "back\\slash", &*long, &*longer];
    let keys = [ODD, &paths].concat();
    assert_eq!(odd_keys(&rig.store, &keys).await, sorted(&keys), "the order is that of their bytes");
    rig.store.put("../escape", "", "text/plain", soon()).await.unwrap();
    assert_eq!(files(rig.dir.path(), "buckets").len(), 1, "nothing escaped from the bucket");
}

/// Sixteen writers, shared out among the stores, race for each of the rounds. One wins, and its bytes are there.
async fn race(stores: &[Store], rounds: usize) {
    for round in 0..rounds {
        for matching in [false, true] {
            let key = format!("race-{round}-{matching}");
            let condition = match matching {
                true => Condition::Matches(stores[0].put(&key, "base", "text/plain", soon()).await.unwrap()),
                false => Condition::Absent,
            };
            // Connections are open before the start, so that the puts themselves fall together.
            let start = Arc::new(tokio::sync::Barrier::new(16));
            let writers = (0..16u8).map(|writer| {
                let store = stores[usize::from(writer) % stores.len()].clone();
                let (key, condition, start) = (key.clone(), condition.clone(), start.clone());
                tokio::spawn(async move {
                    assert_eq!(store.exists(&key, soon()).await.unwrap(), condition != Condition::Absent);
                    start.wait().await;
                    store.put_if(&key, vec![writer; 2000], "text/plain", &condition, soon()).await.unwrap()
                })
            });
            let mut winners = Vec::new();
            for (writer, task) in writers.collect::<Vec<_>>().into_iter().enumerate() {
                if let Some(etag) = task.await.unwrap() {
                    winners.push((writer as u8, etag));
                }
            }
            let [(winner, etag)] = &winners[..] else { panic!("{key}: {winners:?}") };
            let object = stores[0].get(&key, 2000, soon()).await.unwrap();
            assert_eq!((&object.bytes[..], &object.etag), (&[*winner; 2000][..], etag));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_racing_writers_wins() {
    let rig = rig().await;
    race(&[rig.store], 12).await;
}

/// Another process that serves the folder, and how to reach it. It ends when its standard input does.
async fn other_process(dir: &Path) -> (tokio::process::Child, Endpoint) {
    // The other process is this test program, serving the folder that it stands in.
    let mut other = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "store::serves_the_folder_it_stands_in", "--nocapture"])
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
    let endpoint = soon().run(async {
        loop {
            let line = lines.next_line().await.unwrap().expect("the other process says where it serves");
            if let Some((_, said)) = line.split_once("serves ") {
                let [url, access, secret] = said.split(' ').collect::<Vec<_>>()[..] else { panic!("{said}") };
                let credentials = Some((access.to_owned(), secret.to_owned()));
                return Endpoint { url: Some(url.to_owned()), region: None, credentials, path_style: true };
            }
        }
    });
    let endpoint = endpoint.await.unwrap();
    other.stdout = Some(lines.into_inner().into_inner()); // its last lines still need a reader
    (other, endpoint)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_several_racing_writers_wins_across_processes() {
    let rig = rig().await;
    let (mut other, endpoint) = other_process(rig.dir.path()).await;
    let store = Store::connect(&endpoint, BUCKET).await;
    race(&[rig.store, store], 12).await;
    drop(other.stdin.take());
    assert!(soon().run(other.wait()).await.unwrap().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_leaves_only_whole_objects() {
    let rig = rig().await;
    let body = |n: u8| vec![n; 2_000_000 + usize::from(n)];
    rig.store.put("k", body(0), "text/plain", soon()).await.unwrap();
    let (mut written, mut survived) = (0, 0);
    for round in 1..=8 {
        let (mut other, endpoint) = other_process(rig.dir.path()).await;
        let store = Store::connect(&endpoint, BUCKET).await;
        let killed = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(20 + 7 * round)).await; // another moment in each round
            other.kill().await.unwrap();
        });
        let from = survived;
        for n in from + 1.. {
            written = n;
            if store.put("k", body(n), "text/plain", Deadline::after(Duration::from_secs(1))).await.is_err() {
                break;
            }
            survived = n;
        }
        killed.await.unwrap();
        let bytes = rig.store.get("k", u64::MAX, soon()).await.unwrap().bytes;
        assert!(bytes == body(survived) || bytes == body(written), "neither the old nor the new: {}", bytes.len());
        survived = bytes[0];
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other process of one_of_several_racing_writers_wins_across_processes"]
async fn serves_the_folder_it_stands_in() {
    let server = Embedded::start(Path::new(".")).await.unwrap();
    let endpoint = server.endpoint();
    let (access, secret) = endpoint.credentials.unwrap();
    println!("serves {} {access} {secret}", endpoint.url.unwrap());
    // Until the other end of the pipe is closed, as it also is when that process dies.
    let end = tokio::task::spawn_blocking(|| std::io::Read::read_to_end(&mut std::io::stdin(), &mut Vec::new()));
    end.await.unwrap().unwrap();
    server.shutdown(soon()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_that_do_not_hold_lose() {
    conditions(&rig().await.store).await;
}

async fn conditions(store: &Store) {
    let put = |key: &'static str, body: &'static str, condition: Condition| async move {
        store.put_if(key, body, "text/plain", &condition, soon()).await.unwrap()
    };
    let first = put("k", "1", Condition::Absent).await.unwrap();
    // The same bytes do not make it ours: this attempt's end is known.
    assert_eq!(put("k", "1", Condition::Absent).await, None);
    let second = put("k", "2", Condition::Matches(first.clone())).await.unwrap();
    assert_eq!(put("k", "3", Condition::Matches(first.clone())).await, None);
    assert_eq!(put("none", "3", Condition::Matches(first)).await, None);
    assert!(!store.exists("none", soon()).await.unwrap());
    assert_eq!(store.get("k", 1, soon()).await.unwrap().etag, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_runs_own_credentials_are_accepted() {
    let rig = rig().await;
    rig.store.put("k", "1", "text/plain", soon()).await.unwrap();
    let good = rig.server.endpoint();
    let (access, secret) = good.credentials.clone().unwrap();
    for pair in [(access, "wrong".to_owned()), ("nobody".to_owned(), secret)] {
        let store = Store::connect(&Endpoint { credentials: Some(pair), ..good.clone() }, BUCKET).await;
        assert_eq!(code(store.get("k", 1, soon()).await), "store.denied");
        assert_eq!(code(store.put("k", "2", "text/plain", soon()).await), "store.denied");
        assert_eq!(code(store.put_if("new", "2", "text/plain", &Condition::Absent, soon()).await), "store.denied");
    }
    for request in ["GET /lessons/k", "DELETE /lessons/k", "GET /lessons?list-type=2"] {
        let reply =
            raw(&good, format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes(), false).await;
        assert!(reply.starts_with("HTTP/1.1 403 "), "{request}: {reply}");
    }
    assert_eq!(rig.store.list("", 10, soon()).await.unwrap().len(), 1);
    assert_eq!(rig.store.get("k", 1, soon()).await.unwrap().bytes, "1");
}

/// Sends bytes, ends the sending side if they are to be `cut` there, and reads what comes back.
async fn raw(endpoint: &Endpoint, request: &[u8], cut: bool) -> String {
    let address = endpoint.url.as_deref().unwrap().strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request).await.unwrap();
    if cut {
        socket.shutdown().await.unwrap();
    }
    let mut reply = Vec::new();
    soon().run(socket.read_to_end(&mut reply)).await.unwrap().unwrap();
    String::from_utf8_lossy(&reply).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_or_truncated_uploads_are_not_stored() {
    let rig = rig().await;
    let endpoint = rig.server.endpoint();
    let client = sdk(&endpoint);
    let put = || client.put_object().bucket(BUCKET).key("bad").body(text(b"not what it says"));
    assert_eq!(http_status(put().checksum_crc32("AAAAAA==").send().await), 400);
    assert_eq!(http_status(put().checksum_crc64_nvme("AAAAAAAAAAA=").send().await), 400);
    assert_eq!(http_status(put().content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await), 400);

    let presigned = put().presigned(PresigningConfig::expires_in(Duration::from_secs(60)).unwrap()).await.unwrap();
    let target = presigned.uri().split_once("//").unwrap().1;
    let (host, path) = target.split_once('/').unwrap();
    let mut request = format!("PUT /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in presigned.headers().filter(|(name, _)| *name != "content-length") {
        request += &format!("{name}: {value}\r\n");
    }
    let with_body = |length: usize| {
        [request.as_bytes(), format!("content-length: {length}\r\n\r\n").as_bytes(), &[b'x'; 70_000]].concat()
    };
    let reply = raw(&endpoint, &with_body(100_000), true).await;
    assert!(!reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert!(!rig.store.exists("bad", soon()).await.unwrap());
    while !files(rig.dir.path(), "tmp").is_empty() {
        assert!(!soon().passed());
        tokio::task::yield_now().await; // the server drops a cut request a moment after its socket
    }
    // The same request with its whole body is good, so it was the cut that was refused.
    let reply = raw(&endpoint, &with_body(70_000), false).await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert_eq!(rig.store.head("bad", soon()).await.unwrap().size, 70_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_outlive_the_server() {
    let Rig { dir, server, store } = rig().await;
    let etag = store.put("k", "kept", "text/plain", soon()).await.unwrap();
    let old = server.endpoint();
    let mut open = TcpStream::connect(old.url.as_deref().unwrap().strip_prefix("http://").unwrap()).await.unwrap();
    server.shutdown(soon()).await;
    assert_eq!(open.read(&mut [0; 1]).await.unwrap_or(0), 0, "open connections are closed");
    assert_eq!(code(store.get("k", 10, Deadline::after(Duration::from_secs(9))).await), "store.unavailable");

    let server = Embedded::start(dir.path()).await.unwrap();
    assert_ne!(server.endpoint().credentials, old.credentials);
    let object = Store::connect(&server.endpoint(), BUCKET).await.get("k", 10, soon()).await.unwrap();
    assert_eq!((object.bytes.as_ref(), object.etag), (&b"kept"[..], etag));
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_the_old_or_the_new_object_whole() {
    let rig = rig().await;
    let body = |n: u8| vec![n; 300_000 + usize::from(n) * 1000]; // lengths differ too
    rig.store.put("k", body(0), "text/plain", soon()).await.unwrap();
    let done = Arc::new(AtomicUsize::new(0));
    let readers = (0..3).map(|_| {
        let (store, done) = (rig.store.clone(), done.clone());
        tokio::spawn(async move {
            let mut seen = std::collections::BTreeSet::new();
            while done.load(Ordering::Relaxed) == 0 {
                let bytes = store.get("k", u64::MAX, soon()).await.unwrap().bytes;
                let n = bytes[0];
                assert!(bytes == body(n), "a mix of {n} and another");
                seen.insert(n);
            }
            seen.len()
        })
    });
    let readers: Vec<_> = readers.collect();
    for n in 1..80 {
        rig.store.put("k", body(n), "text/plain", soon()).await.unwrap();
    }
    done.store(1, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.await.unwrap() > 1, "no read fell between two writes");
    }
}

/// Changes the one file whose name holds `part`, as a failing disk would.
fn damage(dir: &Path, part: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut found = files(dir, "buckets/lessons");
    found.retain(|path| path.file_name().unwrap().to_str().unwrap().contains(part));
    let [path] = &found[..] else { panic!("{found:?}") };
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_cache_entry_is_a_miss() {
    let rig = rig().await;
    let cache = Cache::new(rig.store.clone());
    let key = CacheKey::of("clip 1").part("scene", "hello").number("fps", 30).finish();
    let (clip, out) = (rig.dir.path().join("clip.mp4"), rig.dir.path().join("out.mp4"));
    std::fs::write(&clip, vec![5; 100_000]).unwrap();
    assert!(!cache.fetch_file("clips", &key, &out, soon()).await.unwrap());
    let changes: [fn(&mut Vec<u8>); 3] = [|bytes| bytes[50_000] ^= 1, |bytes| bytes.truncate(60_000), Vec::clear];
    for change in changes {
        cache.store_file("clips", &key, &clip, "video/mp4", soon()).await.unwrap();
        assert!(cache.fetch_file("clips", &key, &out, soon()).await.unwrap());
        assert_eq!(std::fs::read(&out).unwrap(), vec![5; 100_000]);
        std::fs::remove_file(&out).unwrap();
        damage(rig.dir.path(), key.as_str(), change);
        assert!(!cache.fetch_file("clips", &key, &out, soon()).await.unwrap());
        assert!(!out.exists());
    }
    // A whole object, but not what the entry said.
    rig.store.put(&format!("cache/clips/{key}"), "other", "video/mp4", soon()).await.unwrap();
    assert!(!cache.fetch_file("clips", &key, &out, soon()).await.unwrap());

    let ledger = vec![3u32, 1, 4];
    assert_eq!(cache.fetch_json::<Vec<u32>>("clips", &key, soon()).await.unwrap(), None);
    cache.store_json("clips", &key, &ledger, soon()).await.unwrap();
    assert_eq!(cache.fetch_json("clips", &key, soon()).await.unwrap(), Some(ledger));
    assert_eq!(cache.fetch_json::<String>("clips", &key, soon()).await.unwrap(), None);
    damage(rig.dir.path(), "json", |bytes| bytes[1] ^= 1);
    assert_eq!(cache.fetch_json::<Vec<u32>>("clips", &key, soon()).await.unwrap(), None);
    assert_eq!(code(rig.store.get(&format!("cache/clips/{key}.json"), 99, soon()).await), "store.damaged");
    let left: Vec<_> = std::fs::read_dir(rig.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_str().unwrap().starts_with(".tmp")), "{left:?}");
}

/// A server that answers its n-th connection with the n-th reply (the last one for all that follow) and closes it.
async fn double(replies: &[&'static str]) -> (Endpoint, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint {
        url: Some(format!("http://{}", listener.local_addr().unwrap())),
        credentials: Some(("AK".to_owned(), "SK".to_owned())),
        path_style: true,
        ..Endpoint::default()
    };
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, replies) = (asked.clone(), replies.to_vec());
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let reply = replies[count.fetch_add(1, Ordering::SeqCst).min(replies.len() - 1)];
            read_request(&mut socket).await;
            let _ = socket.write_all(reply.as_bytes()).await;
        }
    });
    (endpoint, asked)
}

async fn read_request(socket: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
            if request.len() >= end + 4 + length.unwrap_or(0) {
                return request;
            }
        }
        let mut piece = [0; 4096];
        match socket.read(&mut piece).await {
            Ok(0) | Err(_) => return request,
            Ok(read) => request.extend_from_slice(&piece[..read]),
        }
    }
}

const BUSY: &str = "HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const WRITTEN: &str = "HTTP/1.1 200 OK\r\netag: \"e\"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const CONFLICT: &str = concat!(
    "HTTP/1.1 409 Conflict\r\ncontent-length: 113\r\nconnection: close\r\n\r\n",
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<Error><Code>ConditionalRequestConflict</Code><Message>m</Message></Error>"
);
const CUT: &str = "HTTP/1.1 200 OK\r\netag: \"e\"\r\ncontent-length: 100\r\nconnection: close\r\n\r\nonly this";

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_store_is_asked_again() {
    let (endpoint, asked) = double(&[BUSY, BUSY, WRITTEN]).await;
    let store = Store::connect(&endpoint, BUCKET).await;
    assert_eq!(store.put("k", "1", "text/plain", soon()).await.unwrap(), ETag::new("\"e\""));
    assert_eq!(asked.load(Ordering::SeqCst), 3);

    let (endpoint, asked) = double(&[BUSY]).await;
    let store = Store::connect(&endpoint, BUCKET).await;
    let error = store.put("k", "1", "text/plain", soon()).await.unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("store.unavailable", true));
    assert_eq!(asked.load(Ordering::SeqCst), 4, "attempts are bounded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conditional_conflict_is_retried() {
    let (endpoint, asked) = double(&[CONFLICT, CONFLICT, WRITTEN]).await;
    let store = Store::connect(&endpoint, BUCKET).await;
    let put = store.put_if("k", "1", "text/plain", &Condition::Absent, soon()).await.unwrap();
    assert_eq!(put, Some(ETag::new("\"e\"")));
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_upload_is_no_object() {
    let dir = tempfile::tempdir().unwrap();
    let (endpoint, asked) = double(&[CUT]).await;
    let store = Store::connect(&endpoint, BUCKET).await;
    assert_eq!(code(store.get("k", 1000, soon()).await), "store.unavailable");
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert_eq!(code(store.get_to_file("k", &dir.path().join("k"), soon()).await), "store.unavailable");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_store_times_out_at_the_deadline() {
    // Connections are taken by the kernel and never answered.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint {
        url: Some(format!("http://{}", silent.local_addr().unwrap())),
        credentials: Some(("AK".to_owned(), "SK".to_owned())),
        path_style: true,
        ..Endpoint::default()
    };
    let store = Store::connect(&endpoint, BUCKET).await;
    let start = Instant::now();
    let brief = || Deadline::after(Duration::from_millis(700));
    let condition = Condition::Absent;
    let (get, put, put_if, list, file) = tokio::join!(
        store.get("k", 1, brief()),
        store.put("k", "1", "text/plain", brief()),
        store.put_if("k", "1", "text/plain", &condition, brief()),
        store.list("", 1, brief()),
        store.get_to_file("k", Path::new("none"), brief()),
    );
    assert!(start.elapsed() < Duration::from_millis(1700), "{:?}", start.elapsed());
    for code in [code(get), code(put), code(put_if), code(list), code(file)] {
        assert_eq!(code, "store.timed_out");
    }
    assert_eq!(code(store.get("k", 1, Deadline::after(Duration::ZERO)).await), "store.timed_out");
}

/// A way to `endpoint` that forwards the first request and swallows its reply; what follows passes. `between` runs
/// after the swallowed reply.
async fn lossy<F: Future<Output = ()> + Send + 'static>(endpoint: &Endpoint, between: F) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let through = Endpoint { url: Some(format!("http://{}", listener.local_addr().unwrap())), ..endpoint.clone() };
    let behind = endpoint.url.as_deref().unwrap().strip_prefix("http://").unwrap().to_owned();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let request = read_request(&mut socket).await;
        let mut server = TcpStream::connect(&behind).await.unwrap();
        server.write_all(&request).await.unwrap();
        let read = server.read(&mut [0; 4096]).await.unwrap();
        assert!(read > 0);
        between.await;
        drop(socket);
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut server = TcpStream::connect(&behind).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut socket, &mut server).await });
        }
    });
    through
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_whose_reply_was_lost_is_recognised() {
    let rig = rig().await;
    lost_replies(&rig.store, &rig.server.endpoint()).await;
}

async fn lost_replies(direct: &Store, endpoint: &Endpoint) {
    let store = Store::connect(&lossy(endpoint, async {}).await, BUCKET).await;
    let first = store.put_if("lost", "ours", "text/plain", &Condition::Absent, soon()).await.unwrap().unwrap();
    assert_eq!(direct.get("lost", 9, soon()).await.unwrap().etag, first);

    let store = Store::connect(&lossy(endpoint, async {}).await, BUCKET).await;
    let second = store.put_if("lost", "ours again", "text/plain", &Condition::Matches(first), soon()).await.unwrap();
    assert_eq!(direct.get("lost", 10, soon()).await.unwrap().etag, second.unwrap());

    // Another writer came after the lost reply: then it is not ours any more.
    let other = direct.clone();
    let between = async move {
        other.put("new", "theirs", "text/plain", soon()).await.unwrap();
    };
    let store = Store::connect(&lossy(endpoint, between).await, BUCKET).await;
    assert_eq!(store.put_if("new", "ours", "text/plain", &Condition::Absent, soon()).await.unwrap(), None);
    assert_eq!(direct.get("new", 9, soon()).await.unwrap().bytes, "theirs");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_server_behaves_like_an_independent_one() {
    let rig = rig().await;
    conditions(&rig.store).await;
    parts(&rig.store, &sdk(&rig.server.endpoint())).await;
    presigned(&rig.store).await;
}

/// An upload in parts that is completed on a condition, one that is given up, and ranges.
async fn parts(store: &Store, client: &Client) {
    let begin = async || {
        let call = client.create_multipart_upload().bucket(BUCKET).key("parts").content_type("video/mp4");
        call.send().await.unwrap().upload_id.unwrap()
    };
    let part = |id: &str, number, body: Vec<u8>| {
        client.upload_part().bucket(BUCKET).key("parts").upload_id(id).part_number(number).body(body.into()).send()
    };
    let complete = |id: &str, etags: &[String]| {
        let parts =
            (1..).zip(etags).map(|(number, etag)| CompletedPart::builder().part_number(number).e_tag(etag).build());
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        client.complete_multipart_upload().bucket(BUCKET).key("parts").upload_id(id).multipart_upload(parts)
    };
    let id = begin().await;
    let etags = [
        part(&id, 1, vec![7; 5 << 20]).await.unwrap().e_tag.unwrap(),
        part(&id, 2, b"0123456789".to_vec()).await.unwrap().e_tag.unwrap(),
    ];
    assert!(!store.exists("parts", soon()).await.unwrap(), "it is there before it is complete");
    complete(&id, &etags).if_none_match("*").send().await.unwrap();
    let object = store.get("parts", u64::MAX, soon()).await.unwrap();
    assert_eq!((object.bytes.len(), object.content_type.as_deref()), ((5 << 20) + 10, Some("video/mp4")));
    for (range, body) in [("bytes=5242880-5242882", &b"012"[..]), ("bytes=-2", b"89"), ("bytes=5242889-", b"9")] {
        let reply = client.get_object().bucket(BUCKET).key("parts").range(range).send().await.unwrap();
        assert_eq!(reply.body.collect().await.unwrap().into_bytes(), body, "{range}");
    }
    let beyond = client.get_object().bucket(BUCKET).key("parts").range("bytes=99999999-").send().await;
    assert_eq!(http_status(beyond), 416);

    // A second one loses its condition, and is given up with all of its parts.
    let id = begin().await;
    let etag = part(&id, 1, b"other".to_vec()).await.unwrap().e_tag.unwrap();
    assert_eq!(http_status(complete(&id, std::slice::from_ref(&etag)).if_none_match("*").send().await), 412);
    client.abort_multipart_upload().bucket(BUCKET).key("parts").upload_id(&id).send().await.unwrap();
    assert_eq!(http_status(part(&id, 2, b"more".to_vec()).await), 404);
    assert_eq!(http_status(complete(&id, &[etag]).send().await), 404);
    let open = client.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
    assert!(open.uploads().is_empty(), "{open:?}");
    assert_eq!(store.get("parts", u64::MAX, soon()).await.unwrap().bytes.len(), (5 << 20) + 10);
    store.delete("parts", soon()).await.unwrap();
}

/// A URL that opens one object for whoever has it, ranges included, and nothing else.
async fn presigned(store: &Store) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    store.put("film ü+1.mp4", &b"0123456789"[..], "video/mp4", soon()).await.unwrap();
    store.put("film ü+2.mp4", &b"another"[..], "video/mp4", soon()).await.unwrap();
    let url = store.presigned("film ü+1.mp4", Duration::from_secs(60), soon()).await.unwrap();
    let whole = browser.get(&url).send().await.unwrap();
    assert_eq!((whole.status().as_u16(), &whole.headers()["content-type"]), (200, &"video/mp4".parse().unwrap()));
    assert_eq!(whole.bytes().await.unwrap(), "0123456789");
    let part = browser.get(&url).header("range", "bytes=2-4").send().await.unwrap();
    assert_eq!((part.status().as_u16(), &part.headers()["content-range"]), (206, &"bytes 2-4/10".parse().unwrap()));
    assert_eq!(part.bytes().await.unwrap(), "234");
    for forged in [url.replace("%2B1", "%2B2"), url.replace("X-Amz-Expires=60", "X-Amz-Expires=600")] {
        assert_ne!(forged, url);
        assert_eq!(browser.get(forged).send().await.unwrap().status(), 403);
    }
    assert_eq!(browser.put(&url).body("mine").send().await.unwrap().status(), 403, "it opens for reading alone");
    for key in ["film ü+1.mp4", "film ü+2.mp4"] {
        store.delete(key, soon()).await.unwrap();
    }
}

/// A free port of which the one 10,000 above is free too.
fn low_port() -> u16 {
    let free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    std::iter::repeat_with(|| fastrand::u16(12_000..22_000)).find(|port| free(*port) && free(port + 10_000)).unwrap()
}

/// The client against a server that is not ours.
#[tokio::test(flavor = "multi_thread")]
async fn an_independent_server_agrees() {
    let dir = tempfile::tempdir().unwrap();
    let identity = r#"{"identities":[{"name":"t","credentials":[{"accessKey":"AK","secretKey":"SK"}],
        "actions":["Admin","Read","Write","List","Tagging"]}]}"#;
    std::fs::write(dir.path().join("s3.json"), identity).unwrap();
    // Each of its ports takes another one with it, 10,000 above.
    let ports: Vec<u16> = (0..4).map(|_| low_port()).collect();
    let mut weed = tokio::process::Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/test-tools/bin/weed"))
        .args(["mini", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-dir=.", "-s3.config=s3.json", "-admin.ui=false"])
        .args(["-webdav=false", &format!("-s3.port={}", ports[0]), &format!("-master.port={}", ports[1])])
        .args([format!("-volume.port={}", ports[2]), format!("-filer.port={}", ports[3])])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let endpoint = Endpoint {
        url: Some(format!("http://127.0.0.1:{}", ports[0])),
        credentials: Some(("AK".to_owned(), "SK".to_owned())),
        path_style: true,
        ..Endpoint::default()
    };
    let store = Store::connect(&endpoint, BUCKET).await;
    let ready = soon();
    while let Err(error) = store.create_bucket(ready).await {
        assert!(!ready.passed() && weed.try_wait().unwrap().is_none(), "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    conditions(&store).await;
    parts(&store, &sdk(&endpoint)).await;
    presigned(&store).await;
    // What the parts above left.
    for entry in store.list("", 1000, soon()).await.unwrap() {
        store.delete(&entry.key, soon()).await.unwrap();
    }
    listings(&store, &sdk(&endpoint)).await;
    // It lists folder by folder, so a space comes after the slash.
    assert_eq!(sorted(&odd_keys(&store, ODD).await), sorted(ODD));
    ranges_and_copies(&store, &sdk(&endpoint)).await;
    race(std::slice::from_ref(&store), 6).await;
    lost_replies(&store, &endpoint).await;

    let (file, out) = (dir.path().join("file"), dir.path().join("out"));
    std::fs::write(&file, vec![5; 3_000_000]).unwrap();
    let (cache, key) = (Cache::new(store.clone()), CacheKey::of("clip 1").finish());
    assert!(!cache.fetch_file("clips", &key, &out, soon()).await.unwrap());
    cache.store_file("clips", &key, &file, "video/mp4", soon()).await.unwrap();
    assert!(cache.fetch_file("clips", &key, &out, soon()).await.unwrap());
    assert_eq!(std::fs::metadata(&out).unwrap().len(), 3_000_000);
    let listed = store.list("cache/", 10, soon()).await.unwrap();
    assert_eq!(listed.iter().map(|entry| entry.size).collect::<Vec<_>>(), [3_000_000]);
    store.delete(&listed[0].key, soon()).await.unwrap();
    assert_eq!(code(store.get(&listed[0].key, 1, soon()).await), "store.not_found");
    let wrong = Endpoint { credentials: Some(("AK".to_owned(), "no".to_owned())), ..endpoint };
    assert_eq!(code(Store::connect(&wrong, BUCKET).await.get("k", 1, soon()).await), "store.denied");
    weed.kill().await.unwrap();
}
