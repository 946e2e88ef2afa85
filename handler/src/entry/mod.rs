//! Entry of invocations under AWS Lambda. The command line is in [`crate::cli`], HTTP in [`crate::http`].
//!
//! In: events of the Lambda runtime. Out: answers of the [`crate::pipeline`], and dead letters for messages that no retry can cure.

mod dead_letters;
pub mod lambda;
