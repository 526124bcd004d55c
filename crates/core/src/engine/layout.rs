//! Where the numbers of a value lie.

use crate::graph::Shape;

/// A blocked map in a buffer, perhaps only some of the buffer's channels:
/// `[image][row][block][column][lane]`, with a border of zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Map {
    /// Which buffer of the plan.
    pub buffer: usize,
    /// Channels, height and width.
    pub shape: Shape,
    /// Rows and columns of zeros on each side.
    pub pad: usize,
    /// Channels in a block.
    pub lanes: usize,
    /// First block of the buffer that belongs to it.
    pub first_block: usize,
    /// Blocks of the whole buffer.
    pub buffer_blocks: usize,
}

impl Map {
    /// No numbers at all.
    pub const NOTHING: Self = Self {
        buffer: usize::MAX,
        shape: [0; 3],
        pad: 0,
        lanes: 1,
        first_block: 0,
        buffer_blocks: 0,
    };

    /// The same map with nothing beside it, in no buffer.
    #[must_use]
    pub const fn alone(&self) -> Self {
        Self {
            buffer: Self::NOTHING.buffer,
            first_block: 0,
            buffer_blocks: self.blocks(),
            ..*self
        }
    }

    /// Its own blocks.
    pub const fn blocks(&self) -> usize {
        self.shape[0].div_ceil(self.lanes)
    }

    /// Numbers from one block to the next.
    pub const fn block(&self) -> usize {
        (self.shape[2] + 2 * self.pad) * self.lanes
    }

    /// Numbers from one row to the next.
    pub const fn row(&self) -> usize {
        self.buffer_blocks * self.block()
    }

    /// Numbers from one image to the next.
    pub const fn image(&self) -> usize {
        (self.shape[1] + 2 * self.pad) * self.row()
    }

    /// Numbers from the beginning of a row with border to its first own pixel.
    pub const fn in_row(&self) -> usize {
        self.first_block * self.block() + self.pad * self.lanes
    }

    /// Where in its image the first block of the first pixel of row `y` is.
    pub const fn at_row(&self, y: usize) -> usize {
        (y + self.pad) * self.row() + self.in_row()
    }

    /// Where in its image one number is.
    pub const fn at(&self, channel: usize, y: usize, x: usize) -> usize {
        let block = channel / self.lanes * self.block();
        self.at_row(y) + block + x * self.lanes + channel % self.lanes
    }
}

/// What a node gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The three colours of an image, which only the first convolution reads.
    Image,
    /// A map, or a vector as a map of one pixel.
    Map(Map),
    /// Rows of anchors, `[image][anchor][k]`.
    Rows {
        /// Which buffer of the plan.
        buffer: usize,
        /// Numbers of an image.
        len: usize,
    },
}
