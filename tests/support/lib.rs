//! What every end-to-end test needs: builds, servers, folders, requests.
