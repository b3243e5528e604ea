/// <reference types="vite/client" />

interface ImportMetaEnv {
  readonly VITE_API_BASE: string;
}

declare module "virtual:catalogue/zh-CN" {
  const catalogue: Record<string, string | string[]>;
  export default catalogue;
}
