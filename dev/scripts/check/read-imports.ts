import ts from 'typescript';
import { lineAt, type SourceFile } from './problem.ts';

export interface Import {
  specifier: string;
  line: number;
  /** True when nothing of it exists at run time (`import type`, `export type`). */
  typeOnly: boolean;
}

/** Every static and dynamic import of a TypeScript, JavaScript or Svelte file. */
export function readImports({ path, text }: SourceFile): Import[] {
  if (!path.endsWith('.svelte')) return readScript(path, text, 0);
  return [...text.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].flatMap((match) =>
    readScript(path, match[1]!, lineAt(text, match.index + match[0].indexOf('>')) - 1),
  );
}

function readScript(path: string, text: string, lineOffset: number): Import[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false, ts.ScriptKind.TS);
  const imports: Import[] = [];
  const add = (node: ts.Expression, typeOnly: boolean) => {
    if (!ts.isStringLiteralLike(node)) return;
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1 + lineOffset;
    imports.push({ specifier: node.text, line, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal as ts.LiteralExpression, true);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      if (node.arguments[0]) add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return imports;
}
