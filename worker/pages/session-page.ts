/** The page at `/sessions/{id}`, whose address a fire answers. Everything on it is filled in by `session.js`. */
export const SESSION_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Session – Reveille</title>
<link rel="stylesheet" href="/style.css">
<script src="/session.js" type="module"></script>
</head>
<body>
<main>
<p><a href="/">Reveille</a></p>
<h1 id="title">Session</h1>
<p id="message" role="status">Loading …</p>
<table><thead><tr><th>Seq</th><th>Event</th><th>What</th></tr></thead><tbody id="events"></tbody></table>
</main>
</body>
</html>
`;
