/** A pull request by its number, on its own page. */
export function PullRequestLink({ url, number }: { url: string; number: number }) {
  return <GithubLink url={url} name={`Pull request #${number}`} />;
}

/** What a run has made at GitHub, on its own page. */
export function GithubLink({ url, name }: { url: string; name: string }) {
  // GitHub's answer has named the address: only one that a browser fetches becomes a link.
  return /^https?:\/\//i.test(url) ? (
    <a href={url} target="_blank" rel="noreferrer">
      {name}
    </a>
  ) : (
    <span>{name}</span>
  );
}
