//! Zstandard frames, one after the other, through a context that is kept.

use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective, get_error_name};

/// A decompression context and where it stands.
///
/// A frame's header names a window, up to 128 MiB (the format's default bound, which Java's library has too, and which
/// producers at level 22 use). The context reserves that much address space, but touches only as much of it as
/// was decompressed.
#[derive(Default)]
pub(super) struct ZstdFrames {
    context: Option<DCtx<'static>>,
    within_frame: bool,
}

impl ZstdFrames {
    pub(super) fn restart(&mut self) {
        self.within_frame = false;
        if let Some(context) = &mut self.context
            && context.reset(ResetDirective::SessionOnly).is_err()
        {
            self.context = None;
        }
    }

    pub(super) fn release_if_larger_than(&mut self, bytes: usize) {
        if self.context.as_ref().is_some_and(|context| context.sizeof() > bytes) {
            self.context = None;
        }
    }

    /// Fills `out` as far as `input` goes, and moves `input` on. Returns the bytes written, 0 at the end.
    pub(super) fn next(&mut self, input: &mut &[u8], out: &mut [u8]) -> Result<usize, String> {
        let context = self.context.get_or_insert_with(DCtx::create);
        let mut output = OutBuffer::around(out);
        // While the context holds output for which there was no room, it leaves some input.
        while output.pos() < output.capacity() && !input.is_empty() {
            let mut source = InBuffer::around(input);
            let hint =
                context.decompress_stream(&mut output, &mut source).map_err(|code| get_error_name(code).to_owned())?;
            let consumed = source.pos();
            *input = &input[consumed..];
            self.within_frame = hint != 0;
        }
        if output.pos() == 0 && self.within_frame {
            return Err("the last frame is cut short".to_owned());
        }
        Ok(output.pos())
    }
}
