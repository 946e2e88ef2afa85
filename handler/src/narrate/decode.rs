//! Decodes the sound file that a voice returned into samples.

use std::io::Cursor;

use bytes::Bytes;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Indexing, Resampler, SincInterpolationParameters, SincInterpolationType, WindowFunction,
};
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::formats::{FormatOptions, TrackType, probe::Hint};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

use super::mp3;
use super::voice::VoiceError;
use crate::deadline::{Cutoff, Passed};

pub use audio::SAMPLE_RATE;

/// Quieter than this at the ends counts as silence (-50 dBFS).
const SILENCE: f32 = 0.003_16;
/// Between the soft beginning of a consonant and a recording's noise (-60 dBFS).
const SOFT: f32 = 0.001;
/// How far before the first loud sample its soft beginning is searched, and how much is kept after the last one: 30 ms.
const MARGIN: usize = SAMPLE_RATE as usize * 30 / 1000;
/// What is kept before the first sound at least: 8 ms, half a frame at 60. Words are said to begin with the first sample that is
/// kept, so it may not be much more: what MP3 lets ring before a sound is as soft as a consonant, and reaches 14 ms.
const LEAD: usize = SAMPLE_RATE as usize * 8 / 1000;

/// Chunks that are resampled between two checks of the deadline: about a third of a second of sound.
const CHUNKS: usize = 16;

fn bad(reason: impl ToString) -> VoiceError {
    VoiceError::NotDecodable(reason.to_string())
}

impl From<Passed> for VoiceError {
    fn from(_: Passed) -> Self {
        Self::TimedOut("the decoding of its sound")
    }
}

/// A sound without the silence at its ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decoded {
    /// Mono at 48 kHz, -1 to 1.
    pub(super) samples: Vec<f32>,
    /// Samples of silence that were cut off before the first.
    pub(super) cut: usize,
}

/// Decodes a whole sound file (MP3, WAV, Ogg Vorbis, FLAC), silence at both ends trimmed. One that lasts more than `most`
/// seconds is refused before all of it is decoded.
///
/// # Errors
/// [`VoiceError::NotDecodable`], also when a part of the file or all sound is missing; [`VoiceError::TimedOut`].
pub(super) fn decode(bytes: Bytes, most: f64, cutoff: &Cutoff) -> Result<Decoded, VoiceError> {
    let mut samples = whole(bytes, most, cutoff)?;
    let cut = trim(&mut samples)?;
    Ok(Decoded { samples, cut })
}

fn whole(bytes: Bytes, most: f64, cutoff: &Cutoff) -> Result<Vec<f32>, VoiceError> {
    mp3::whole(&bytes)?;
    let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(bad)?;
    let track = format.default_track(TrackType::Audio).ok_or_else(|| bad("the file has no sound track"))?;
    let promised = track.num_frames;
    let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
    let parameters = parameters.ok_or_else(|| bad("the sound track names no codec"))?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(bad)?;
    let track_id = track.id;
    let (mut mono, mut rate, mut block) = (Vec::new(), 0, Vec::<f32>::new());
    while let Some(packet) = format.next_packet().map_err(bad)? {
        cutoff.check()?;
        if packet.track_id != track_id {
            continue;
        }
        let sound = decoder.decode(&packet).map_err(bad)?;
        let channels = sound.spec().channels().count().max(1);
        if rate == 0 {
            rate = sound.spec().rate();
        } else if rate != sound.spec().rate() {
            return Err(bad("the sample rate changes within the file"));
        }
        sound.copy_to_vec_interleaved(&mut block);
        mono.extend(block.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32));
        if mono.len() as f64 > most * f64::from(rate) {
            return Err(bad(format!("it lasts more than {most:.0} s, too long for its text")));
        }
    }
    if mono.is_empty() {
        return Err(bad("it has no samples"));
    }
    // The header may or may not count the encoder's padding, a few frames of its codec.
    if promised.is_some_and(|promised| (mono.len() as u64) + 5_000 < promised) {
        return Err(bad(format!(
            "it has {} of the {} samples that its header promises",
            mono.len(),
            promised.unwrap_or_default()
        )));
    }
    resample(mono, rate, cutoff)
}

/// As the resampler's own `process_all`, but it checks the deadline.
fn resample(mono: Vec<f32>, rate: u32, cutoff: &Cutoff) -> Result<Vec<f32>, VoiceError> {
    if rate == SAMPLE_RATE {
        return Ok(mono);
    }
    // Measured with tones: images lie below -129 dB, and the level is kept up to 90 % of the band. With 128 samples it was 8 dB lower
    // there, in three quarters of the time.
    let filter = SincInterpolationParameters::new(256, WindowFunction::BlackmanHarris2);
    let filter = filter.interpolation(SincInterpolationType::Quadratic);
    let ratio = f64::from(SAMPLE_RATE) / f64::from(rate);
    // Chunks of about 20 ms; their length matters for speed only.
    let mut resampler = Async::<f32>::new_sinc(ratio, 1.0, &filter, 1024, 1, FixedAsync::Input).map_err(bad)?;
    let (frames, delay) = (mono.len(), resampler.output_delay());
    let needed = delay + (resampler.resample_ratio() * frames as f64).ceil() as usize;
    let mut out = vec![0.0; resampler.process_all_needed_output_len(frames)];
    let room = out.len();
    let input = InterleavedSlice::new(&mono, 1, frames).map_err(bad)?;
    let mut output = InterleavedSlice::new_mut(&mut out, 1, room).map_err(bad)?;
    let mut at = Indexing { input_offset: 0, output_offset: 0, partial_len: None, active_channels_mask: None };
    for chunk in 0.. {
        if at.output_offset >= needed {
            break;
        }
        if chunk % CHUNKS == 0 {
            cutoff.check()?;
        }
        // After the last chunk silence goes in, until all that is delayed has come out.
        let left = frames - at.input_offset;
        at.partial_len = (left < resampler.input_frames_next()).then_some(left);
        let (read, written) = resampler.process_into_buffer(&input, &mut output, Some(&at)).map_err(bad)?;
        at.input_offset += read.min(left);
        at.output_offset += written;
    }
    out.truncate(needed);
    out.drain(..delay);
    Ok(out)
}

/// Trims silence at both ends, and gives the number of samples cut off at the start.
fn trim(samples: &mut Vec<f32>) -> Result<usize, VoiceError> {
    let loud = |sample: &f32| sample.abs() > SILENCE;
    let first = samples.iter().position(loud).ok_or_else(|| bad("it is silent"))?;
    let last = samples.iter().rposition(loud).unwrap_or(first);
    samples.truncate((last + 1 + MARGIN).min(samples.len()));
    let around = first.saturating_sub(MARGIN);
    let soft = samples[around..first].iter().position(|sample| sample.abs() > SOFT).unwrap_or(first - around);
    let cut = (around + soft).min(first.saturating_sub(LEAD));
    samples.drain(..cut);
    Ok(cut)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::deadline::Deadline;

    /// A WAV file of 16-bit samples.
    fn wav(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
        let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let mut file = b"RIFF".to_vec();
        file.extend((36 + data.len() as u32).to_le_bytes());
        file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
        file.extend(channels.to_le_bytes());
        file.extend(rate.to_le_bytes());
        file.extend((rate * u32::from(channels) * 2).to_le_bytes());
        file.extend((channels * 2).to_le_bytes());
        file.extend(b"\x10\0data");
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
        file
    }

    fn tone(rate: u32, seconds: f64) -> Vec<i16> {
        let count = (f64::from(rate) * seconds) as u32;
        (0..count)
            .map(|n| (12_000.0 * (f64::from(n) * 440.0 * std::f64::consts::TAU / f64::from(rate)).sin()) as i16)
            .collect()
    }

    fn decode(bytes: Bytes, most: f64) -> Result<Decoded, VoiceError> {
        super::decode(bytes, most, &Deadline::after(Duration::from_secs(60)).into())
    }

    fn speech(file: Vec<u8>) -> Vec<f32> {
        decode(file.into(), 60.0).unwrap().samples
    }

    #[test]
    fn decoding_ends_at_its_deadline() {
        let passed = Deadline::after(Duration::ZERO).into();
        let ended = super::decode(wav(22_050, 1, &tone(22_050, 1.0)).into(), 60.0, &passed);
        assert!(matches!(ended, Err(VoiceError::TimedOut(_))), "{ended:?}");
    }

    #[test]
    fn resampling_keeps_length_pitch_and_level() {
        let samples = speech(wav(22_050, 1, &tone(22_050, 1.0)));
        assert!(samples.len().abs_diff(48_000) < 200, "{}", samples.len());
        let crossings = samples.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        assert!(crossings.abs_diff(440) <= 2, "{crossings}");
        let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((peak - 12_000.0 / 32_768.0).abs() < 0.02, "{peak}");
    }

    #[test]
    fn silence_at_the_ends_is_trimmed_to_the_margins() {
        let mut padded = vec![0_i16; 24_000];
        padded.extend(tone(48_000, 0.5));
        padded.extend(vec![0_i16; 24_000]);
        let Decoded { samples, cut } = decode(wav(48_000, 1, &padded).into(), 60.0).unwrap();
        assert!(samples.len().abs_diff(24_000 + LEAD + MARGIN) < 10, "{}", samples.len());
        assert!(cut.abs_diff(24_000 - LEAD) < 10, "{cut}");
    }

    #[test]
    fn a_soft_beginning_is_kept() {
        // An f of 20 ms at -55 dBFS, before a vowel.
        let soft = |n: usize| if n.is_multiple_of(3) { 58 } else { -58 };
        let mut padded = vec![0_i16; 24_000];
        padded.extend((0..960).map(soft));
        padded.extend(tone(48_000, 0.5));
        let Decoded { cut, .. } = decode(wav(48_000, 1, &padded).into(), 60.0).unwrap();
        assert!(cut.abs_diff(24_000) < 10, "{cut}");
        // What hisses all the time is kept no longer than before.
        let mut noisy: Vec<i16> = (0..24_000).map(soft).collect();
        noisy.extend(tone(48_000, 0.5));
        let Decoded { cut, .. } = decode(wav(48_000, 1, &noisy).into(), 60.0).unwrap();
        assert!(cut.abs_diff(24_000 - MARGIN) < 10, "{cut}");
    }

    #[test]
    fn stereo_is_mixed_to_mono() {
        let stereo: Vec<i16> = tone(48_000, 0.25).into_iter().flat_map(|sample| [sample, sample]).collect();
        assert!(speech(wav(48_000, 2, &stereo)).len().abs_diff(12_000) < 100);
    }

    #[test]
    fn files_without_sound_are_refused() {
        for bytes in [b"<html>429</html>".to_vec(), Vec::new(), wav(48_000, 1, &[]), wav(48_000, 1, &[0; 4800])] {
            assert!(matches!(decode(bytes.into(), 60.0), Err(VoiceError::NotDecodable(_))));
        }
    }

    #[test]
    fn a_truncated_file_and_an_endless_one_are_refused() {
        let file = wav(24_000, 1, &tone(24_000, 2.0));
        let half = file[..file.len() / 2].to_vec();
        assert!(matches!(decode(half.into(), 60.0), Err(VoiceError::NotDecodable(_))));
        assert!(matches!(decode(file.into(), 1.0), Err(VoiceError::NotDecodable(_))));
    }
}
