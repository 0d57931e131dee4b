//! What a call uses besides text tokens, and which of several prices it is for.
use crate::price::{Base, Component};
use crate::usage::{MAX_QUANTITY, Way};
use serde::{Deserialize, Serialize};

/// Quantities of a media call, or their upper bounds. A thing that can be counted in several ways (a picture as one
/// image or as so many tokens) is billed in the way the price book prices, never in two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Media {
    /// One kind for all pictures, or all the video, of the call.
    pub kind: Kind,
    /// Pictures made.
    #[serde(skip_serializing_if = "is_zero")]
    pub images: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub image_output_tokens: u64,
    /// Pictures given.
    #[serde(skip_serializing_if = "is_zero")]
    pub image_inputs: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub image_input_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub image_input_cached_tokens: u64,
    /// Text to be spoken.
    #[serde(skip_serializing_if = "is_zero")]
    pub characters: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_input_ms: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_input_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_output_ms: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_output_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub videos: u64,
    /// Seconds of video made, all videos together, in milliseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub video_ms: u64,
    /// See [`video_tokens`].
    #[serde(skip_serializing_if = "is_zero")]
    pub video_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub video_input_ms: u64,
    /// What a reranking provider counts instead of tokens, such as one query over up to 100 documents.
    #[serde(skip_serializing_if = "is_zero")]
    pub rerank_units: u64,
}

/// Which price of a model a picture or a video has. In bounds, `None` stands for whatever it may turn out to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kind {
    /// As the price list writes it: `1024x1024`, `2K`, `720p`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Label>,
    /// Whether the video has sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<bool>,
    /// Whether a video was given to start from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_input: Option<bool>,
}

impl Media {
    pub(crate) fn is_plausible(&self) -> bool {
        self.parts().iter().flatten().all(|way| way.quantity <= MAX_QUANTITY)
            && self.characters <= MAX_QUANTITY
            && self.rerank_units <= MAX_QUANTITY
    }

    /// Each part with the ways to count it. Text input is among the text's parts.
    pub(crate) fn parts(&self) -> [[Way; 3]; 7] {
        use Component::{
            AudioInput, AudioOutput, Image, ImageInput, ImageInputCached, ImageOutput, Input, TextInput,
            TextInputCached, Video, VideoInput, VideoTokens,
        };
        let none = Way::tokens(0, &[]);
        let pair = |one, other| [one, other, none];
        [
            pair(
                Way::new(self.images, Base::Image, &[Image]),
                Way::tokens(self.image_output_tokens, &[ImageOutput]),
            ),
            // A provider that lists one price for input means it for pictures as well.
            pair(
                Way::new(self.image_inputs, Base::Image, &[ImageInput]),
                Way::tokens(self.image_input_tokens, &[ImageInput, TextInput, Input]),
            ),
            pair(Way::tokens(self.image_input_cached_tokens, &[ImageInputCached, TextInputCached]), none),
            pair(
                Way::new(self.audio_input_ms, Base::Millisecond, &[AudioInput]),
                Way::tokens(self.audio_input_tokens, &[AudioInput, Input]),
            ),
            pair(
                Way::new(self.audio_output_ms, Base::Millisecond, &[AudioOutput]),
                Way::tokens(self.audio_output_tokens, &[AudioOutput]),
            ),
            [
                Way::new(self.videos, Base::Video, &[Video]),
                Way::new(self.video_ms, Base::Millisecond, &[Video]),
                Way::new(self.video_tokens, Base::VideoToken, &[VideoTokens]),
            ],
            pair(Way::new(self.video_input_ms, Base::Millisecond, &[VideoInput]), none),
        ]
    }

    /// Sound in and out.
    pub fn audio_ms(&self) -> u64 {
        self.audio_input_ms.saturating_add(self.audio_output_ms)
    }
}

/// Tokens of a video as ByteDance counts them: width × height × frames per second × seconds ÷ 1024, rounded up.
/// `None` beyond any number that could be billed.
pub fn video_tokens(width: u32, height: u32, frames_per_second: u32, duration_ms: u64) -> Option<u64> {
    let pixels = u128::from(width) * u128::from(height);
    let frames_1000 = u128::from(frames_per_second).checked_mul(u128::from(duration_ms))?;
    let tokens = pixels.checked_mul(frames_1000)?.div_ceil(1_024 * 1_000);
    u64::try_from(tokens).ok().filter(|tokens| *tokens <= MAX_QUANTITY)
}

/// A short name in ASCII, kept without allocating: a size or a quality. Case does not matter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label {
    bytes: [u8; Self::MOST],
    length: u8,
}

impl Label {
    const MOST: usize = 15;

    /// `None` when it is empty, longer than 15 characters, or holds anything but printable ASCII.
    pub fn new(text: &str) -> Option<Self> {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let mut bytes = [0; Self::MOST];
        bytes.get_mut(..text.len()).filter(|_| plain)?.copy_from_slice(text.as_bytes());
        bytes.make_ascii_lowercase();
        Some(Self { bytes, length: u8::try_from(text.len()).ok()? })
    }

    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    pub(crate) fn is(&self, text: &str) -> bool {
        self.as_str().eq_ignore_ascii_case(text)
    }
}

impl std::fmt::Debug for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl TryFrom<String> for Label {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text).ok_or("a size or quality is 1 to 15 printable ASCII characters")
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.as_str().to_owned()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(quantity: &u64) -> bool {
    *quantity == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_video_is_its_area_times_its_frames() {
        // The provider's own figures: 21,600 tokens a second at 720p and 48,600 at 1080p, 24 frames a second.
        assert_eq!(video_tokens(1280, 720, 24, 1_000), Some(21_600));
        assert_eq!(video_tokens(1920, 1080, 24, 5_000), Some(243_000));
        assert_eq!(video_tokens(1280, 720, 24, 1), Some(22), "rounded up");
        assert_eq!(video_tokens(u32::MAX, u32::MAX, u32::MAX, u64::MAX), None);
    }

    #[test]
    fn a_label_is_short_plain_and_without_case() {
        assert_eq!(Label::new("4K"), Label::new("4k"));
        assert!(Label::new("4K").is_some_and(|label| label.is("4K") && !label.is("4")));
        for wrong in ["", "sixteen letters!", "a b", "４Ｋ", "1234567890123456"] {
            assert_eq!(Label::new(wrong), None, "{wrong}");
        }
    }
}
