/** The page at `/`. Everything on it is filled in by `home.js`. */
export const HOME_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Reveille</title>
<link rel="stylesheet" href="/style.css">
<script src="/home.js" type="module"></script>
</head>
<body>
<main>
<h1>Reveille</h1>
<p id="message" role="status">Loading …</p>
<form id="sign-in" hidden>
<label>Owner token <input id="token" type="password" autocomplete="current-password" required></label>
<button>Sign in</button>
</form>
<div id="content" hidden>
<section><h2>Routines</h2><table><thead><tr><th>Name</th><th>Status</th><th>Id</th></tr></thead><tbody id="routines"></tbody></table></section>
<section><h2>Recent runs</h2><table><thead><tr><th>Routine</th><th>Status</th><th>Result</th><th>Queued</th><th>Model</th><th>Id</th></tr></thead><tbody id="runs"></tbody></table></section>
<p><a href="/docs">API</a> <button id="reload">Reload</button> <button id="sign-out">Sign out</button></p>
</div>
</main>
</body>
</html>
`;
