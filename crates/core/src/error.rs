//! What can go wrong.

/// Why something could not be done; its text says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A network, a graph or its inputs contradict themselves or each other.
    #[error("{0}")]
    Network(String),
    /// An ONNX file is damaged or has what cannot be computed here, or a graph has what ONNX cannot
    /// say.
    #[error("{0}")]
    Onnx(String),
}

/// With [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
