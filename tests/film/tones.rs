//! A voice that speaks a short tone, over the protocol of OpenAI's `/v1/audio/speech`. It answers with WAV files, so that a
//! tone begins with the file's first sample, or after as much silence as is wanted; how long it lasts depends on the text. A text
//! that names another format gets it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use serde_json::Value;

const RATE: u32 = 48_000;

/// Listens on loopback as long as the test's process lives. Gives the settings that lead to it.
pub fn voice() -> [(&'static str, String); 3] {
    voice_after(0)
}

/// The same, with so many milliseconds of silence before each tone.
pub fn voice_after(silence: u32) -> [(&'static str, String); 3] {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that only looks whether somebody is there asks for nothing.
            std::thread::spawn(move || stream.map(|stream| serve(stream, silence)));
        }
    });
    let key = ("OPENAI_API_KEY", "key-of-a-test".to_owned());
    [("VOICE_CHAIN", "openai".to_owned()), ("OPENAI_TTS_BASE_URL", url), key]
}

fn serve(stream: TcpStream, silence: u32) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut length = 0;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        if length == 0 {
            return Ok(());
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body: Value = serde_json::from_slice(&body).unwrap();
        let text = body["input"].as_str().unwrap();
        let mut samples = vec![0; (RATE * silence / 1000) as usize];
        samples.extend(tone(text));
        let sound = wav(&samples);
        let sound = match ["mp3", "ogg", "flac"].into_iter().find(|format| text.contains(*format)) {
            Some(format) => encoded(&sound, format),
            None => sound,
        };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: audio/wav\r\ncontent-length: {}\r\n\r\n", sound.len());
        stream.write_all(&[head.as_bytes(), &sound].concat())?;
    }
}

/// 120 to 280 ms at 600 to 1,100 Hz, at full level from the first sample to the last.
fn tone(text: &str) -> Vec<i16> {
    let number = text.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let (samples, pitch) = (RATE * (120 + number % 161) / 1000, 600 + number / 7 % 501);
    let step = f64::from(pitch) * std::f64::consts::TAU / f64::from(RATE);
    (0..samples).map(|n| (12_000.0 * (f64::from(n) * step).cos()) as i16).collect()
}

fn wav(samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

fn encoded(sound: &[u8], format: &str) -> Vec<u8> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/layers/bin/ffmpeg");
    let codec = if format == "ogg" {
        "libvorbis"
    } else if format == "mp3" {
        "libmp3lame"
    } else {
        "flac"
    };
    let mut command = Command::new(program);
    command.args(["-v", "error", "-f", "wav", "-i", "-", "-c:a", codec, "-f", format, "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // A short tone fits the pipe.
    child.stdin.take().unwrap().write_all(sound).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}
