//! The guide for plugin authors. Every example in it is run as a test.
//!
//! | chapter | answers |
//! | --- | --- |
//! | [`hello`] | How do I write, build, install and pin a plugin? |
//! | [`config`] | How do operators configure it, and where do secrets come from? |
//! | [`errors_and_outcomes`] | What do I answer when? |
//! | [`async_and_cpu`] | What may I await, what must not block, what ends a call? |
//! | [`browser_login`] | How do users log in at a provider's page? |
//! | [`provisioning`] | How do users of other backends get a row in my table? |
//! | [`testing`] | How do I test the real file? |
//! | [`safety`] | What does the host promise, and which mistakes do authors make? |
//! | [`abi_policy`] | Which plugin works with which host, and for how long? |

#[doc = include_str!("guide/hello.md")]
pub mod hello {}

#[doc = include_str!("guide/config.md")]
pub mod config {}

#[doc = include_str!("guide/errors_and_outcomes.md")]
pub mod errors_and_outcomes {}

#[doc = include_str!("guide/async_and_cpu.md")]
pub mod async_and_cpu {}

#[doc = include_str!("guide/browser_login.md")]
pub mod browser_login {}

#[doc = include_str!("guide/provisioning.md")]
pub mod provisioning {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/safety.md")]
pub mod safety {}

#[doc = include_str!("guide/abi_policy.md")]
pub mod abi_policy {}
