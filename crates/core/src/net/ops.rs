//! What networks are written in.

/// An activation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act {
    /// `x`.
    None,
    /// `max(x, slope x)`, slope within 0..=1; 0 is ReLU.
    Leaky(f32),
    /// `x * clamp(x / 6 + 1 / 2, 0, 1)`.
    HardSwish,
    /// `clamp(x / 6 + 1 / 2, 0, 1)`.
    HardSigmoid,
    /// `scale / (1 + exp(-x))`.
    Sigmoid {
        /// What it goes to for large `x`.
        scale: f32,
    },
    /// `clamp(x, low, high)`, where a bound may be infinite: only in networks that were read, for
    /// example ReLU6.
    Clip {
        /// Smallest result.
        low: f32,
        /// Largest result.
        high: f32,
    },
}

impl Act {
    /// What the mean square of its inputs, normally distributed around 0 with variance 1, is divided
    /// by: 2 for ReLU.
    fn lost(self) -> f64 {
        match self {
            Self::Leaky(slope) => 2.0 / (1.0 + f64::from(slope).powi(2)),
            // The mean of (x^2 / 6 + x / 2)^2, but for the few numbers beyond 3.
            Self::HardSwish => 3.0,
            Self::None | Self::HardSigmoid | Self::Sigmoid { .. } | Self::Clip { .. } => 1.0,
        }
    }
}

/// A batch norm: what it adds to variances, and the share of a new batch in its running
/// statistics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Norm {
    /// Added to variances.
    pub epsilon: f64,
    /// Share of a new batch.
    pub momentum: f64,
}

impl Norm {
    /// PyTorch's defaults.
    pub const USUAL: Self = Self {
        epsilon: 1e-5,
        momentum: 0.1,
    };
}

/// What a convolution reads beyond the edges of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// `kernel / 2` zeros: odd kernels keep the size, divided by the stride and rounded up.
    Same,
    /// Nothing: only outputs that need none.
    Valid,
}

/// A square convolution, perhaps with a batch norm (then without a bias of its own), and an
/// activation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv {
    /// Output channels.
    pub to: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// One output for each `stride` x `stride` inputs.
    pub stride: usize,
    /// Whether each channel is connected with itself only.
    pub depthwise: bool,
    /// At the edges.
    pub padding: Padding,
    /// Norm behind it; `None`: a bias instead.
    pub norm: Option<Norm>,
    /// What follows.
    pub act: Act,
    /// Start of the weights.
    pub weight: Init,
    /// Start of the bias.
    pub bias: Init,
    /// Whether it ends a path whose result is added to what went around it.
    pub ends_path: bool,
}

impl Conv {
    /// With the usual norm, stride 1, no activation.
    pub const fn new(to: usize, kernel: usize) -> Self {
        Self {
            to,
            kernel,
            stride: 1,
            depthwise: false,
            padding: Padding::Same,
            norm: Some(Norm::USUAL),
            act: Act::None,
            weight: Init::Uniform { gain: 1.0 },
            bias: Init::Uniform { gain: 1.0 },
            ends_path: false,
        }
    }

    /// A 1x1 convolution with a bias, as heads are.
    pub const fn head(to: usize) -> Self {
        Self {
            norm: None,
            ..Self::new(to, 1)
        }
    }

    /// The same with this stride.
    #[must_use]
    pub const fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    /// The same within each channel.
    #[must_use]
    pub const fn depthwise(self) -> Self {
        Self {
            depthwise: true,
            ..self
        }
    }

    /// The same with this activation.
    #[must_use]
    pub const fn act(self, act: Act) -> Self {
        Self { act, ..self }
    }

    /// The same with this norm.
    #[must_use]
    pub const fn norm(self, norm: Norm) -> Self {
        Self {
            norm: Some(norm),
            ..self
        }
    }

    /// The same as the end of a path whose result is added to what went around it.
    #[must_use]
    pub const fn ending_path(self) -> Self {
        Self {
            ends_path: true,
            ..self
        }
    }

    /// The same with a bias instead of the norm, and a start that does without one: mean squares
    /// stay what they are from layer to layer (He et al., 2015, arXiv:1502.01852), and a path that is
    /// added to what went around it starts with nothing (as in Fixup, Zhang et al., 2019,
    /// arXiv:1901.09321), because sums would grow from block to block. One that has no norm anyway
    /// stays as it is.
    #[must_use]
    pub fn unnormed(self) -> Self {
        if self.norm.is_none() {
            return self;
        }
        let zero = Init::Constant(0.0);
        let weight = match self.ends_path {
            true => zero,
            // Uniform within r has the mean square r^2 / 3.
            false => Init::Uniform {
                gain: (3.0 * self.act.lost()).sqrt(),
            },
        };
        Self {
            norm: None,
            weight,
            bias: zero,
            ..self
        }
    }

    /// The same with this padding.
    #[must_use]
    pub const fn padding(self, padding: Padding) -> Self {
        Self { padding, ..self }
    }

    /// Zeros on each side.
    pub const fn pad(&self) -> usize {
        match self.padding {
            Padding::Same => self.kernel / 2,
            Padding::Valid => 0,
        }
    }

    /// Outputs along an axis of `side` inputs.
    pub const fn outputs(&self, side: usize) -> usize {
        (side + 2 * self.pad()).saturating_sub(self.kernel) / self.stride + 1
    }
}

/// How numbers start before training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Uniform within `gain / sqrt(inputs)` (PyTorch's layers: 1).
    Uniform {
        /// Relative to PyTorch's layers.
        gain: f64,
    },
    /// All the same.
    Constant(f32),
}

/// A fully connected layer over everything of an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear {
    /// Outputs.
    pub to: usize,
    /// Start of the weights.
    pub weight: Init,
    /// Start of the bias.
    pub bias: Init,
    /// What follows.
    pub act: Act,
}

impl Linear {
    /// As PyTorch starts it, without an activation.
    pub const fn new(to: usize) -> Self {
        Self {
            to,
            weight: Init::Uniform { gain: 1.0 },
            bias: Init::Uniform { gain: 1.0 },
            act: Act::None,
        }
    }

    /// The same with this activation.
    #[must_use]
    pub const fn act(self, act: Act) -> Self {
        Self { act, ..self }
    }
}

/// A maximum over squares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Side of the squares.
    pub kernel: usize,
    /// Distance between them.
    pub stride: usize,
    /// Rows and columns beyond each edge that count as minus infinity.
    pub pad: usize,
}

impl Pool {
    /// Outputs along an axis of `side` inputs.
    pub const fn outputs(&self, side: usize) -> usize {
        (side + 2 * self.pad).saturating_sub(self.kernel) / self.stride + 1
    }
}

/// What a network can do with its values, which all are `[B,C,H,W]`; vectors are `[B,C,1,1]`.
///
/// Names are those of the tensors in weights files. A convolution with a norm called `a` has
/// `a.conv.weight` `[O,I,k,k]` (`[C,1,k,k]` depthwise), `a.norm.gamma`, `.beta`, `.running_mean` and
/// `.running_var` `[O]`; without one `a.weight` and `a.bias`. A linear layer has `a.weight`
/// `[inputs, outputs]` and `a.bias`.
pub trait Ops {
    /// `[B,C,H,W]`.
    type Value: Clone;

    /// Convolution, norm, activation.
    fn conv(&mut self, name: &str, x: &Self::Value, conv: Conv) -> Self::Value;

    /// Fully connected layer: `[B,C,H,W]`, read in the order C, H, W, -> `[B,to,1,1]`.
    fn linear(&mut self, name: &str, x: &Self::Value, linear: Linear) -> Self::Value;

    /// An activation by itself.
    fn act(&mut self, x: &Self::Value, act: Act) -> Self::Value;

    /// The sum of two values of one shape.
    fn add(&mut self, a: &Self::Value, b: &Self::Value) -> Self::Value;

    /// Nearest upsampling of `small` to the size of `large`, plus `large`.
    fn upsample_add(&mut self, small: &Self::Value, large: &Self::Value) -> Self::Value;

    /// Each channel of `x` times its `factor` `[B,C,1,1]`.
    fn scale_channels(&mut self, x: &Self::Value, factor: &Self::Value) -> Self::Value;

    /// Mean over height and width: `[B,C,H,W]` -> `[B,C,1,1]`.
    fn mean(&mut self, x: &Self::Value) -> Self::Value;

    /// Largest value of each square.
    fn max_pool(&mut self, x: &Self::Value, pool: Pool) -> Self::Value;

    /// Channels of values of one size behind each other.
    fn concat(&mut self, parts: &[Self::Value]) -> Self::Value;

    /// Everything of each part, in the order C, H, W, behind each other: `[B,n,1,1]`.
    fn flatten(&mut self, parts: &[Self::Value]) -> Self::Value;

    /// Maps with `k` numbers for each anchor of a location, as rows in the order of anchors (map,
    /// y, x, anchor): `[B,anchors*k,H,W]` each -> `[B,N,k,1]`.
    fn rows(&mut self, maps: &[Self::Value], k: usize) -> Self::Value;

    /// The expected place of each of L landmarks under the softmax of its map plus a prior
    /// (tensor `name`, `[L,H*W]`, zeros at first), where the centre of a map is 0 and its edges are
    /// `reach` away: `[B,L,H,W]` -> `[B,2L,1,1]`, x before y (integral regression, Sun et al.,
    /// 2018, arXiv:1711.08229).
    fn expected_places(&mut self, name: &str, maps: &Self::Value, reach: f32) -> Self::Value;

    /// Zeros at those places of windows that lie beyond the edge of the map that they were cut from.
    /// `margin` is how many pixels from the middle of such a window its edge is. Whole maps, which
    /// have no such places, stay as they are.
    fn mask(&mut self, x: &Self::Value, margin: usize) -> Self::Value;
}
